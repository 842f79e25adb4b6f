"""``argus serve`` beside a bare uvicorn: the same TLS context and the same clients, by turns.

What is asked is what a computing element asks: a proxy chain with an attribute certificate in the request, a policy of
1,000 resources, an account leased for the answer. Clients and servers share the machine.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from argus_py.hessian import base64_lines, messages
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.model.response import Decision
from benchmarks import hello
from benchmarks.load import Client, Identity, Measured, Order, clients
from benchmarks.policies import ACTION, GROUP, thousand_resources
from benchmarks.processes import Server, serving
from benchmarks.tables import Row, microseconds, show
from demo.site import Site, make_site

_BIN = Path(sys.executable).parent
_ROUNDS = 5
_CLIENTS = 8
_RESOURCE = "ce1_249"
_FQANS = (f"{GROUP}/Role=NULL/Capability=NULL", f"{GROUP}/analysis/Role=NULL/Capability=NULL")


@dataclass(frozen=True, slots=True)
class Case:
    """``requests`` of all clients together in one round."""

    name: str
    kept: bool
    clients: int
    requests: int


_NEW = (Case("new connections, 1 client", False, 1, 240), Case("new connections, 8 clients", False, _CLIENTS, 320))
_KEPT = (Case("kept alive, 1 client", True, 1, 480), Case("kept alive, 8 clients", True, _CLIENTS, 800))


@dataclass(frozen=True, slots=True)
class Target:
    """A server and what all its answers must be."""

    server: Server
    port: int
    check: Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Round:
    """Times in seconds: of the whole round, of the server's processors, of each request."""

    elapsed: float
    cpu: float
    requests: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one server in one case; milliseconds."""

    per_second: float
    p50: float
    p95: float
    cpu: float

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> "Figures":
        seconds = sorted(each for one in rounds for each in one.requests)
        return cls(
            statistics.median(len(one.requests) / one.elapsed for one in rounds),
            statistics.median(seconds) * 1e3,
            seconds[len(seconds) * 95 // 100] * 1e3,
            sum(one.cpu for one in rounds) / len(seconds) * 1e3,
        )


def main(root: Path) -> None:
    site = make_site(root)
    identities = _identities(site)
    saying_hello = [sys.executable, "-m", "benchmarks.hello", *map(str, (*site.host, site.certificates))]
    with (
        _argus(site) as argus,
        serving(saying_hello, urls=1) as bare,
        serving([*saying_hello, "--judge"], urls=1) as judged,
        clients(identities) as crew,
    ):
        ours = Target(argus, argus.port("PEP"), _is_permit)
        yardstick = Target(bare, bare.port("hello"), _is_hello)
        with_chain = Target(judged, judged.port("hello"), _is_hello)
        results = {case: _measure(case, (ours, yardstick, with_chain), crew) for case in _NEW}
        results |= {case: _measure(case, (ours, yardstick), crew) for case in _KEPT}
        resident = Row("resident memory at the end, MiB", argus.resident_mib(), bare.resident_mib())
    rows = [row for case, figures in results.items() for row in _rows(case, figures[0], figures[1])]
    show("Authorizations over mutual TLS", "argus", "uvicorn hello", [*rows, resident])
    rows = [row for case in _NEW for row in _rows(case, results[case][2], results[case][1])]
    show("What our judgement of the chain costs beside that of OpenSSL", "hello that judges", "uvicorn hello", rows)
    signature = _signature_milliseconds()
    rows = [Row(case.name, figures[0].cpu, signature) for case, figures in results.items()]
    show("Server CPU per authorization, ms", "argus", "one RSA-2048 signature", rows)


def _rows(case: Case, figures: Figures, yardstick: Figures) -> Iterator[Row]:
    yield Row(f"{case.name}: requests/s", figures.per_second, yardstick.per_second)
    yield Row(f"{case.name}: p50, ms", figures.p50, yardstick.p50)
    yield Row(f"{case.name}: p95, ms", figures.p95, yardstick.p95)
    yield Row(f"{case.name}: server CPU per request, ms", figures.cpu, yardstick.cpu)


# --- The site


def _identities(site: Site) -> list[Identity]:
    """A user with an account for each client."""
    identities: list[Identity] = []
    for number in range(1, _CLIENTS + 1):
        (site.gridmapdir / f"dteam{number:03d}").touch()
        proxy = site.pilot(f"Load User {number}", _FQANS)
        file = site.root / f"load-user-{number}.pem"
        file.write_bytes(proxy.proxy_file())
        identities.append(Identity(file, site.certificates, _body(proxy.certificate_pem().decode())))
    return identities


def _body(pem: str) -> bytes:
    """What the C client sends for a job with this proxy chain on a computing element."""
    profile = Attribute(Glite.PROFILE_ID, (Glite.PROFILE_COMPUTE_ELEMENT,), DataType.ANY_URI)
    request = Request(
        (Subject((Attribute(AttributeId.KEY_INFO, (pem,)),)),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, (_RESOURCE,)),)),),
        Action((Attribute(AttributeId.ACTION_ID, (ACTION,)),)),
        Environment((profile,)),
    )
    return base64_lines.encode(messages.write_request(request))


@contextmanager
def _argus(site: Site) -> Iterator[Server]:
    """All daemons in one process, the policy loaded, logs written as in production."""
    policy = site.root / "thousand-resources.spl"
    policy.write_text(thousand_resources())
    folders = ["--config-dir", str(site.configuration), "--log-dir", str(site.root / "log")]
    with serving([str(_BIN / "argus"), "serve", *folders], urls=3) as server:
        certificate, key = site.admin
        credential = ["--cert", str(certificate), "--key", str(key), "--cadir", str(site.certificates)]
        pap_admin = [str(_BIN / "pap-admin"), "--host", "localhost", "--port", str(server.port("PAP")), *credential]
        subprocess.run([*pap_admin, "add-policies-from-file", str(policy)], check=True, stdout=subprocess.DEVNULL)
        yield server


# --- Measuring


def _measure(case: Case, targets: Sequence[Target], crew: Sequence[Client]) -> list[Figures]:
    """Of each target. The targets take turns; a first round of each does not count."""
    rounds = [[_round(case, target, crew) for target in targets] for _ in range(_ROUNDS + 1)][1:]
    return [Figures.of(of_target) for of_target in zip(*rounds, strict=True)]


def _round(case: Case, target: Target, crew: Sequence[Client]) -> Round:
    working = crew[: case.clients]
    for client in working:
        client.prepare(Order(target.port, case.requests // case.clients, case.kept))
    for client in working:
        client.wait_until_ready()
    cpu, begin = target.server.cpu_seconds(), time.perf_counter()
    for client in working:
        client.go()
    measured = [client.result() for client in working]
    elapsed = time.perf_counter() - begin
    cpu = target.server.cpu_seconds() - cpu
    _check(measured, target)
    return Round(elapsed, cpu, tuple(seconds for one in measured for seconds in one.seconds))


def _check(measured: Sequence[Measured], target: Target) -> None:
    for answer in frozenset[bytes]().union(*(one.answers for one in measured)):
        if not target.check(answer):
            raise AssertionError(f"unexpected answer: {answer!r}")


def _is_permit(answer: bytes) -> bool:
    """A Permit with an account; nothing else is worth measuring."""
    (result,) = messages.read_response(base64_lines.decode(answer)).results
    posix = [each for each in result.obligations if each.id == Glite.LOCAL_ENVIRONMENT_MAP_POSIX]
    return result.decision is Decision.PERMIT and len(posix) == 1


def _is_hello(answer: bytes) -> bool:
    return answer == hello.ANSWER


def _signature_milliseconds() -> float:
    """What costs a server most in a handshake: the unit in which figures of other machines can be compared."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (signing,) = microseconds(lambda: key.sign(b"", padding.PKCS1v15(), hashes.SHA256()))
    return signing / 1e3
