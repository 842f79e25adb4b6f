from datetime import UTC, datetime, timedelta, timezone

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType
from argus_py.model.request import Environment, Request
from argus_py.pep.pips.environment_time import EnvironmentTime

NOW = datetime(2026, 11, 22, 23, 19, 23, 987654, tzinfo=UTC)


def times(time: str, date: str, both: str) -> tuple[Attribute, ...]:
    return (
        Attribute(AttributeId.CURRENT_TIME, (time,), DataType.TIME),
        Attribute(AttributeId.CURRENT_DATE, (date,), DataType.DATE),
        Attribute(AttributeId.CURRENT_DATE_TIME, (both,), DataType.DATE_TIME),
    )


def test_the_time_is_written_in_utc_without_fractions() -> None:
    expected = Environment(times("23:19:23Z", "2026-11-22", "2026-11-22T23:19:23Z"))
    assert EnvironmentTime().enrich(Request(), NOW) == Request(environment=expected)


def test_a_local_zone_shows_its_offset() -> None:
    zone = timezone(timedelta(hours=1))
    expected = Environment(times("00:19:23+01:00", "2026-11-23", "2026-11-23T00:19:23+01:00"))
    assert EnvironmentTime(zone).enrich(Request(), NOW) == Request(environment=expected)


def test_a_time_sent_by_the_client_is_replaced_and_the_rest_kept() -> None:
    claimed = Attribute(AttributeId.CURRENT_TIME, ("00:00:00Z",), DataType.TIME)
    other = Attribute("other", ("x",))
    enriched = EnvironmentTime().enrich(Request(environment=Environment((claimed, other))), NOW)
    assert enriched.environment == Environment((other, *times("23:19:23Z", "2026-11-22", "2026-11-22T23:19:23Z")))
