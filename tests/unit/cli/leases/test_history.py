import random
from datetime import UTC, datetime, timedelta

from argus_py.cli.leases.history import Histories, Holders
from argus_py.observe.records import MappingRecord

START = datetime(2026, 11, 10, 6, 19, tzinfo=UTC)


def record(minutes: float, subject: str, account: str = "dteam001", *fqans: str) -> MappingRecord:
    time = START + timedelta(minutes=minutes)
    return MappingRecord(time, account, f"lease of {subject}", subject, fqans, "CN=ce01", "192.0.2.7")


RECORDS = (
    record(-2, "CN=A"),
    record(-1, "CN=B"),
    record(0, "CN=C"),
    record(0.5, "CN=B"),
    record(0.9, "CN=C"),
    record(1, "CN=D"),
    record(-5, "CN=E", "dteam002"),
)


def test_holders_do_not_depend_on_the_order_of_the_records() -> None:
    rng = random.Random(1)
    for _ in range(20):
        holders = Holders(START + timedelta(seconds=30))
        for each in rng.sample(RECORDS, len(RECORDS)):
            holders.add(each)
        assert holders.found() == (RECORDS[1], RECORDS[2], RECORDS[3], RECORDS[6])


def test_a_history_is_of_one_lease_with_its_account() -> None:
    histories = Histories({("lease of CN=A", "dteam001")})
    for each in (
        record(5, "CN=A", "dteam001", "/dteam/Role=pilot", "/dteam"),
        record(-5, "CN=A", "dteam001", "/dteam"),
        record(-9, "CN=A", "dteam002"),
        record(-9, "CN=B"),
    ):
        histories.add(each)

    history = histories.of("lease of CN=A", "dteam001")

    assert history is not None
    assert (history.first_use, history.last_use) == (START - timedelta(minutes=5), START + timedelta(minutes=5))
    assert history.subjects == ("CN=A",)
    assert history.fqans == ("/dteam/Role=pilot", "/dteam")
    assert histories.of("lease of CN=B", "dteam001") is None
    assert histories.of("lease of CN=A", None) is None


def test_names_of_a_lease_are_not_gathered_without_end() -> None:
    histories = Histories({("lease of CN=A", "dteam001")})
    for number in range(1000):
        histories.add(record(number, "CN=A", "dteam001", f"/dteam/{number}"))
    history = histories.of("lease of CN=A", "dteam001")
    assert history is not None
    assert history.fqans == tuple(f"/dteam/{number}" for number in range(16))
