"""POST /v1/authorize of a running daemon, asked by our client: the same answers, records and limits as on /authz."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from argus_py.client import (
    Argus,
    Authorization,
    Certificates,
    Credential,
    Named,
    NoAnswer,
    NotAuthorized,
    QuestionRefused,
)
from argus_py.client.asynchronous import AsyncArgus
from argus_py.model.response import Decision
from demo.issuing import CertificateAuthority
from demo.site import ACTION, RESOURCE

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus as Process
    from tests.e2e.conftest import Grid


@pytest.fixture(scope="module")
def process(shared_grid: "Grid") -> "Process":
    process = shared_grid.serve()
    shared_grid.load_policy(process)
    return process


@pytest.fixture
def argus(shared_grid: "Grid", process: "Process") -> Argus:
    return client(shared_grid, process.urls["PEP"])


def client(grid: "Grid", *endpoints: str, proxy: Path | None = None) -> Argus:
    """One that shows the certificate of the host, or a proxy."""
    credential = Credential(proxy) if proxy else Credential(*grid.site.host)
    return Argus(endpoints, credential=credential, ca_directory=grid.site.certificates)


def last_record(process: "Process") -> dict[str, Any]:
    record: dict[str, Any] = json.loads(process.read("audit.jsonl").splitlines()[-1])
    return record


def test_a_pilot_gets_the_account_that_the_other_wire_gives(
    shared_grid: "Grid", process: "Process", argus: Argus
) -> None:
    proxy = shared_grid.site.add_pilot("Alice Pilot")
    subject = Certificates.from_file(proxy)
    answer = client(shared_grid, process.urls["PEP"], proxy=proxy).authorize(subject, RESOURCE, ACTION, pilot=subject)
    assert answer.mapped().name == shared_grid.ask(process, subject.pem).account
    assert [group.name for group in answer.mapped().groups] == ["dtplt", "dteam"]
    assert (answer.reason, answer.subject) == ("permitted", "CN=Alice Pilot,DC=argus-demo,DC=org")
    assert answer.fqans[0].startswith("/dteam/Role=pilot")
    assert argus.authorize(subject, RESOURCE, ACTION).account == answer.account


def test_record_line_and_logs_are_those_of_any_request(shared_grid: "Grid", process: "Process", argus: Argus) -> None:
    answer = argus.authorize(Certificates(shared_grid.pilot("Bert Pilot")), RESOURCE, ACTION)
    record = last_record(process)
    assert record["request_id"] == answer.request_id
    assert (record["decision"], record["account"]) == ("Permit", answer.mapped().name)
    assert record["client"] == "CN=localhost,DC=argus-demo,DC=org"
    assert f"|{answer.request_id}|" in process.read("audit.log").splitlines()[-1]
    assert process.read("access.log").splitlines()[-1].endswith("|/v1/authorize|")
    assert f"[{answer.request_id}] - ACCOUNTMAP_OH: DN: " in process.read("process.log")


def test_a_refusal_is_an_answer_that_says_who_refuses(shared_grid: "Grid", argus: Argus) -> None:
    def ask(fqan: str, resource: str = RESOURCE) -> Authorization:
        chain = shared_grid.site.pilot("Carl Stranger", [fqan]).certificate_pem().decode()
        return argus.authorize(Certificates(chain), resource, ACTION)

    member = ask("/dteam", "http://example.org/other")
    assert (member.decision, member.reason) == (Decision.NOT_APPLICABLE, "not-applicable")
    unmapped = ask("/dteam/Role=nobody")
    assert (unmapped.decision, unmapped.reason, unmapped.account) == (Decision.INDETERMINATE, "unmapped", None)
    foreign = ask("/elsewhere")
    assert (foreign.decision, foreign.reason) == (Decision.INDETERMINATE, "indeterminate")
    for refused in (member, unmapped, foreign):
        with pytest.raises(NotAuthorized, match=refused.request_id):
            refused.mapped()


def test_a_name_alone_is_not_believed_where_certificates_are_wanted(argus: Argus) -> None:
    answer = argus.authorize(Named("CN=Alice Pilot,DC=argus-demo,DC=org", ("/dteam/Role=pilot",)), RESOURCE, ACTION)
    assert answer.decision is Decision.INDETERMINATE
    assert "did not contain the required certificate chain" in str(answer.message)


def test_a_private_key_is_refused_and_in_no_log(shared_grid: "Grid", process: "Process", argus: Argus) -> None:
    whole_file = shared_grid.site.add_pilot("Alice Pilot").read_text()
    with pytest.raises(QuestionRefused, match="private key") as caught:
        argus.authorize(Named(whole_file), RESOURCE, ACTION)  # as certificates our client would not send it
    assert caught.value.status == 400
    key = whole_file[whole_file.index("PRIVATE KEY-----") :].splitlines()[1]
    for log in process.folder.iterdir():
        assert key not in log.read_text()
    assert "unreadable request from 127.0.0.1: there is a private key in the request" in process.read("process.log")


def test_the_next_endpoint_answers_for_one_that_is_down(shared_grid: "Grid", process: "Process") -> None:
    alive, down = process.urls["PEP"], "https://localhost:9"
    subject = Certificates(shared_grid.pilot("Alice Pilot"))
    assert client(shared_grid, down, alive).authorize(subject, RESOURCE, ACTION).endpoint == alive
    with pytest.raises(NoAnswer, match="Connection refused"):
        client(shared_grid, down).authorize(subject, RESOURCE, ACTION)


def test_a_daemon_that_is_not_trusted_is_not_believed(shared_grid: "Grid", process: "Process", tmp_path: Path) -> None:
    trusting_nobody = Argus([process.urls["PEP"]], credential=Credential(*shared_grid.site.host), ca_directory=tmp_path)
    with pytest.raises(NoAnswer, match="its certificate is not accepted: unable to get local issuer certificate"):
        trusting_nobody.authorize(Certificates(shared_grid.pilot("Alice Pilot")), RESOURCE, ACTION)


def test_no_certificate_no_answer(shared_grid: "Grid", process: "Process") -> None:
    nobody = Argus([process.urls["PEP"]], credential=None, ca_directory=shared_grid.site.certificates)
    with pytest.raises(NoAnswer):
        nobody.authorize(Certificates(shared_grid.pilot("Alice Pilot")), RESOURCE, ACTION)


def test_revocation_lists_count_where_there_are_any(shared_grid: "Grid", process: "Process", tmp_path: Path) -> None:
    trusted = Path(shutil.copytree(shared_grid.site.certificates, tmp_path / "certificates"))
    argus = Argus([process.urls["PEP"]], credential=Credential(*shared_grid.site.host), ca_directory=trusted)
    subject = Certificates(shared_grid.pilot("Alice Pilot"))
    for file in trusted.glob("*.r0"):
        file.write_bytes(list_that_revokes(shared_grid.site.host[0], shared_grid.site.authority))
    with pytest.raises(NoAnswer, match="certificate revoked"):
        argus.authorize(subject, RESOURCE, ACTION)
    for file in trusted.glob("*.r0"):
        file.unlink()
    assert argus.authorize(subject, RESOURCE, ACTION).permitted


def list_that_revokes(file: Path, authority: CertificateAuthority) -> bytes:
    certificate, now = x509.load_pem_x509_certificate(file.read_bytes()), datetime.now(UTC)
    revoked = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.subject).add_revoked_certificate(revoked)
    builder = builder.last_update(now - timedelta(minutes=1)).next_update(now + timedelta(days=1))
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_many_questions_wait_side_by_side(shared_grid: "Grid", argus: Argus) -> None:
    names = ("Alice Pilot", "Bert Pilot", "Carl Pilot")
    chains = [shared_grid.pilot(name) for name in names]

    async def ask() -> list[str]:
        async with AsyncArgus(argus, at_once=3) as asking:
            questions = (asking.authorize(Certificates(chain), RESOURCE, ACTION) for chain in chains)
            return [str(answer.subject) for answer in await asyncio.gather(*questions)]

    assert asyncio.run(ask()) == [f"CN={name},DC=argus-demo,DC=org" for name in names]


def test_a_new_process_asks_with_little_loaded(shared_grid: "Grid", process: "Process") -> None:
    """Worker nodes start one per payload: what takes long to load is not needed for it."""
    proxy = shared_grid.site.add_pilot("Alice Pilot")
    program = f"""\
import sys
from pathlib import Path
from argus_py.client import Argus, Authorization, Certificates, Credential
argus = Argus([{process.urls["PEP"]!r}], credential=Credential.proxy(), ca_directory=Path(sys.argv[1]))
print(argus.authorize(Certificates.from_file(Path(sys.argv[2])), {RESOURCE!r}, {ACTION!r}).mapped().name)
print(*sorted({{"httpx", "cryptography", "pydantic", "lxml", "asyncio", "starlette"}} & set(sys.modules)))
"""
    command = [sys.executable, "-c", program, str(shared_grid.site.certificates), str(proxy)]
    environment = os.environ | {"X509_USER_PROXY": str(proxy)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=30)
    account, loaded = done.stdout.splitlines()
    assert account.startswith("dtplt")
    assert loaded == ""


DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "clients.md").read_text()


def sample(kind: str, word: str, places: dict[str, str]) -> str:
    """The sample of docs/clients.md that has the word in it, with the places of this site."""
    texts: list[str] = re.findall(rf"^```{kind}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    text = next(each for each in texts if word in each)
    for old, new in places.items():
        text = text.replace(old, new)
    return text


@pytest.fixture
def places(shared_grid: "Grid", process: "Process") -> dict[str, str]:
    certificate, key = shared_grid.site.host
    return {
        "https://argus.example.org:8154": process.urls["PEP"],
        "/tmp/x509up_u500": str(shared_grid.site.add_pilot("Alice Pilot")),
        "/etc/grid-security/hostcert.pem": str(certificate),
        "/etc/grid-security/hostkey.pem": str(key),
        "/etc/grid-security/certificates": str(shared_grid.site.certificates),
    }


def test_the_line_for_curl_gets_an_answer(shared_grid: "Grid", places: dict[str, str]) -> None:
    done = shared_grid.run(["sh", "-c", sample("sh", "curl", places)])
    told = json.loads(done.stdout)
    assert (told["decision"], told["account"][:5]) == ("Permit", "dtplt")


def test_the_program_of_the_document_prints_the_account(places: dict[str, str]) -> None:
    program = sample("python", "argus_py.client", places)
    environment = os.environ | {"X509_USER_PROXY": places["/tmp/x509up_u500"]}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=30)
    assert re.fullmatch(r"dtplt00[123] \['dtplt', 'dteam'\] _\w+\n", done.stdout)
