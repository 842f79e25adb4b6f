"""``argus serve`` beside a bare uvicorn: the same TLS context and the same clients, by turns.

What is asked is what a computing element asks: a proxy chain with an attribute certificate in the request, a policy of
1,000 resources, an account leased for the answer. Clients and servers share the machine.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from benchmarks import hello, pilots
from benchmarks.load import clients
from benchmarks.policies import thousand_resources
from benchmarks.processes import Server, serving
from benchmarks.rounds import Case, Target, is_permit, measure, rows
from benchmarks.tables import Row, microseconds, show
from demo.site import Site, make_site

_BIN = Path(sys.executable).parent
_ROUNDS = 5
_CLIENTS = 8
_RESOURCE = "ce1_249"
_NEW = (Case("new connections, 1 client", False, 1, 240), Case("new connections, 8 clients", False, _CLIENTS, 320))
_KEPT = (Case("kept alive, 1 client", True, 1, 480), Case("kept alive, 8 clients", True, _CLIENTS, 800))


def main(root: Path) -> None:
    site = make_site(root)
    files = list(map(str, (*site.host, site.certificates)))
    saying_hello = [sys.executable, "-m", "benchmarks.hello"]
    with (
        serving_argus(site) as argus,
        serving([*saying_hello, "uvicorn", "tls", *files], urls=1) as bare,
        serving([*saying_hello, "listener", "tls", *files], urls=1) as judged,
        clients(pilots.identities(site, _CLIENTS, _RESOURCE)) as crew,
    ):
        ours = Target(argus, argus.port("PEP"), is_permit)
        yardstick = Target(bare, bare.port("hello"), _is_hello)
        with_chain = Target(judged, judged.port("hello"), _is_hello)
        results = {case: measure(case, (ours, yardstick, with_chain), crew, _ROUNDS) for case in _NEW}
        results |= {case: measure(case, (ours, yardstick), crew, _ROUNDS) for case in _KEPT}
        resident = Row("resident memory at the end, MiB", argus.resident_mib(), bare.resident_mib())
    argus_and_hello = [row for case, figures in results.items() for row in rows(case, figures[0], figures[1])]
    show("Authorizations over mutual TLS", "argus", "uvicorn hello", [*argus_and_hello, resident])
    two_hellos = [row for case in _NEW for row in rows(case, results[case][2], results[case][1])]
    show("What our way to accept a connection costs", "hello from our port", "uvicorn hello", two_hellos)
    signature = _signature_milliseconds()
    signatures = [Row(case.name, figures[0].cpu, signature) for case, figures in results.items()]
    show("Server CPU per authorization, ms", "argus", "one RSA-2048 signature", signatures)


@contextmanager
def serving_argus(site: Site) -> Iterator[Server]:
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


def _is_hello(answer: bytes) -> bool:
    return answer == hello.ANSWER


def _signature_milliseconds() -> float:
    """What costs a server most in a handshake: the unit in which figures of other machines can be compared."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (signing,) = microseconds(lambda: key.sign(b"", padding.PKCS1v15(), hashes.SHA256()))
    return signing / 1e3
