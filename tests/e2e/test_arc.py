"""ARC's own PDP client asks our PDP, over mutual TLS and for users with VOMS proxies: ``arched`` with its echo service.

The client is Debian's (nordugrid-arc-hed, nordugrid-arc-plugins-needed). It has three ways to put a question, one per
service here. Its own attribute certificate reader finds the VO and the groups. It forwards a request only on a
Permit; the echo service answers with what was said, to operations it does not know with a fault of its own.

What it needs from a PDP: targets in absolute form, IDs that are no xs:ID, Environment before Subject, names with blanks
after their commas; and that the elements of the answer have the prefixes of the Java PDP, by which it finds them.
"""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

if TYPE_CHECKING:
    from tests.e2e.conftest import Argus, Grid

BANNED = "CN=Bob Banned,DC=argus-demo,DC=org"
HOST = "CN=localhost,DC=argus-demo,DC=org"
SUBMIT = "http://glite.org/xacml/action/ce/job/submit"
ANY_ACTION = "http://dci-sec.org/xacml/action/ANY"

# A resource for each kind of question; the banned one would be permitted otherwise, but to "ANY".
POLICY = f"""\
resource "ANY" {{
    action "ANY" {{
        rule deny {{ subject="{BANNED}" }}
        rule permit {{ subject="CN=Alice Pilot,DC=argus-demo,DC=org" }}
    }}
}}
resource "http://127[.]0[.]0[.]1:[0-9]+/cream" {{
    action "{SUBMIT}" {{
        rule deny {{ subject="{BANNED}" }}
        rule permit {{ pfqan="/dteam" vo="dteam" subject-issuer="CN=Argus Demo CA,DC=argus-demo,DC=org" }}
    }}
}}
resource "http://127[.]0[.]0[.]1:[0-9]+/emi" {{
    obligation "http://example.org/obligation/local-user" {{ vo="grid007" }}
    action "{ANY_ACTION}" {{
        rule deny {{ subject="{BANNED}" }}
        rule permit {{ emi-vo="dteam" emi-primary-group="/dteam" emi-role="pilot" emi-resource-owner="{HOST}" }}
    }}
}}
"""
ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
ECHO = '<e:echo xmlns:e="http://www.nordugrid.org/schemas/echo"><e:say>hello</e:say></e:echo>'
CREATE_ACTIVITY = '<b:CreateActivity xmlns:b="http://schemas.ggf.org/bes/2006/08/bes-factory"/>'
QUESTIONS = {"subject": ECHO, "cream": CREATE_ACTIVITY, "emi": ECHO}

MEMBER, PILOT = "/dteam/Role=NULL/Capability=NULL", "/dteam/Role=pilot/Capability=NULL"
USERS = {
    "pilot": ("Alice Pilot", [PILOT, MEMBER]),
    "banned": ("Bob Banned", [PILOT, MEMBER]),
    "guest": ("Carol Guest", ["/dteam/guests"]),
    "comma": ("Dora, Dr", [PILOT, MEMBER]),  # ARC escapes nothing: what it sends is no distinguished name
}

PLUGINS = ("mcctcp", "mcctls", "mcchttp", "mccsoap", "arcshc", "identitymap", "arguspdpclient", "echo")
ARCHED = """\
<ArcConfig xmlns="http://www.nordugrid.org/schemas/ArcConfig/2007"
  xmlns:tcp="http://www.nordugrid.org/schemas/ArcMCCTCP/2007" xmlns:echo="http://www.nordugrid.org/schemas/echo/2009/08">
<Server><Pidfile>{folder}/arched.pid</Pidfile><Logger level="DEBUG"><File>{folder}/arched.log</File></Logger></Server>
<ModuleManager><Path>/usr/lib/arc/</Path></ModuleManager>
{plugins}
<Chain>
<Component name="tcp.service" id="tcp"><next id="tls"/>
  <tcp:Listen><tcp:Interface>127.0.0.1</tcp:Interface><tcp:Port>{port}</tcp:Port></tcp:Listen></Component>
<Component name="tls.service" id="tls"><next id="http"/>{tls}<VOMSDir>{vomsdir}</VOMSDir></Component>
<Component name="http.service" id="http"><next id="soap">POST</next></Component>
<Component name="soap.service" id="soap"><next id="plexer"/></Component>
<Plexer name="plexer.service" id="plexer">{routes}</Plexer>
{services}
</Chain></ArcConfig>
"""
SERVICE = """\
<Service name="echo" id="{conversion}">
<SecHandler name="arguspdpclient.map" id="argus-{conversion}" event="incoming"><PDPD>{pdp}/authz</PDPD>
<Conversion>{conversion}</Conversion>{tls}</SecHandler>
<echo:prefix>[</echo:prefix><echo:suffix>]</echo:suffix></Service>
"""
ARC_WORDS = {"Deny": "DENY", "NotApplicable": "NOT APPLICABLE", "Indeterminate": "INDETERMINATE"}
TIMEOUT = 30.0  # seconds; the machine may be busy


class Arched:
    """One ``arched``, and users who come to its services."""

    def __init__(self, grid: "Grid", folder: Path, pdp: str) -> None:
        self._grid = grid
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._port = server.getsockname()[1]
        certificate, key = grid.site.host
        trust = f"<CACertificatesDir>{grid.site.certificates}</CACertificatesDir>"
        tls = f"<KeyPath>{key}</KeyPath><CertificatePath>{certificate}</CertificatePath>{trust}"
        configuration = folder / "arched.xml"
        configuration.write_text(
            ARCHED.format(
                folder=folder,
                port=self._port,
                tls=tls,
                vomsdir=grid.site.vomsdir,
                plugins="".join(f"<Plugins><Name>{name}</Name></Plugins>" for name in PLUGINS),
                routes="".join(f'<next id="{conversion}">^/{conversion}$</next>' for conversion in QUESTIONS),
                services="".join(SERVICE.format(conversion=each, pdp=pdp, tls=tls) for each in QUESTIONS),
            )
        )
        with (folder / "output").open("wb") as output:
            command = ["/usr/sbin/arched", "--foreground", "--xml-config", str(configuration)]
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def wait(self) -> None:
        """Until it listens."""

        def listens() -> bool:
            assert self._process.poll() is None, self._read("output")
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", self._port)) == 0

        self._grid.eventually(listens)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def lets_in(self, user: str, conversion: str) -> bool:
        """Whether the echo service got to see the user's operation."""
        name, fqans = USERS[user]
        proxy = self._folder / "proxy.pem"
        proxy.touch(mode=0o600)
        proxy.write_bytes(self._grid.site.pilot(name, fqans).proxy_file())
        url = f"https://127.0.0.1:{self._port}/{conversion}"
        with self._grid.https((proxy, proxy)) as client:
            answer = client.post(url, content=ENVELOPE.format(QUESTIONS[conversion]), timeout=TIMEOUT)
        body = etree.fromstring(answer.content)[0][0]
        heard, fault = body.findtext("{*}hear"), body.findtext("{*}faultstring")
        assert (heard, fault) in {("[hello]", None), (None, "Request is not supported - "), (None, "Internal error")}
        return fault != "Internal error"

    def told(self) -> str:
        """The last error of its PDP client."""
        lines = self._read("arched.log").splitlines()
        return [line for line in lines if "[Arc.SecHandler.Argus] [ERROR]" in line][-1].split("] ")[-1]

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(errors="replace")


@contextmanager
def arched_for(grid: "Grid", folder: Path, pdp: str) -> Iterator[Arched]:
    arched = Arched(grid, folder, pdp)
    try:
        arched.wait()
        yield arched
    finally:
        arched.stop()


@pytest.fixture(scope="module")
def argus(shared_grid: "Grid", tmp_path_factory: pytest.TempPathFactory) -> "Argus":
    argus = shared_grid.serve()
    policy = tmp_path_factory.mktemp("policy") / "arc.spl"
    policy.write_text(POLICY)
    done = shared_grid.pap_admin(argus, "add-policies-from-file", str(policy))
    assert done.returncode == 0, done.stdout + done.stderr
    return argus


@pytest.fixture(scope="module")
def arched(shared_grid: "Grid", argus: "Argus", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arched]:
    with arched_for(shared_grid, tmp_path_factory.mktemp("arched"), argus.urls["PDP"]) as arched:
        yield arched


def last_record(argus: "Argus") -> dict[str, Any]:
    record: dict[str, Any] = json.loads(argus.read("audit.jsonl").splitlines()[-1])
    return record


@pytest.mark.parametrize(
    ("user", "decision"),
    [("pilot", "Permit"), ("banned", "Deny"), ("guest", "NotApplicable"), ("comma", "Indeterminate")],
)
@pytest.mark.parametrize("conversion", QUESTIONS)
def test_only_who_is_permitted_is_let_in(
    argus: "Argus", arched: Arched, conversion: str, user: str, decision: str
) -> None:
    assert arched.lets_in(user, conversion) is (decision == "Permit")
    if decision != "Permit":
        assert arched.told().startswith(f"The reached decision is: {ARC_WORDS[decision]}")
    record = last_record(argus)
    assert (record["decision"], record["client"]) == (decision, HOST)
    assert record["subject"].replace(", DC", ",DC") == f"CN={USERS[user][0]},DC=argus-demo,DC=org"
    assert record["action"] == {"subject": "ANY", "cream": SUBMIT, "emi": ANY_ACTION}[conversion]
    line = argus.read("audit.log").splitlines()[-1].split("|")
    assert (line[3], line[6], line[7]) == (record["request_id"], decision, record["response_id"])


def test_nobody_is_let_in_by_a_pdp_without_a_policy_or_by_none(grid: "Grid", tmp_path: Path) -> None:
    pdp = grid.start("pdp", grid.site.configuration / "pdp" / "pdp.ini")
    with arched_for(grid, tmp_path, pdp.urls["PDP"]) as arched:
        assert not arched.lets_in("pilot", "subject")
        assert arched.told().startswith("The reached decision is: INDETERMINATE")
        pdp.kill()
        assert not arched.lets_in("pilot", "subject")
        assert "decision" not in arched.told()
