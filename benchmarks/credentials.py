"""Who is this: a request with a proxy chain, judged for the first time and known from before, beside OpenSSL.

OpenSSL, by way of pyOpenSSL, judges the chain alone: no attribute certificate, no CRL, no namespaces. Both begin with
the PEM text.
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import crypto

from argus_py.credentials import chain, names, path, pem
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Environment, Request, Subject
from argus_py.pep.pips.glite_profile import GliteProfile
from argus_py.pep.pips.profile import ProfileSettings
from argus_py.pep.pips.proof import CertificateJudge
from argus_py.snapshot import Snapshot
from argus_py.store.trustdir import load_trust_anchors
from argus_py.store.vomsdir import load_voms_trust
from benchmarks.tables import Row, microseconds, show
from demo.issuing import proxy_of
from demo.site import PILOT_FQANS, Site, make_site

_ALLOW_PROXY_CERTS = 0x40  # X509_V_FLAG_ALLOW_PROXY_CERTS, for which pyOpenSSL has no name
_WORKER_NODE = Environment((Attribute(Glite.PROFILE_ID, (Glite.PROFILE_WORKER_NODE,), DataType.ANY_URI),))


def main(root: Path) -> None:
    site, now = make_site(root / "credentials"), datetime.now(UTC)
    credential = proxy_of(site.pilot("Pilot"), now)
    blocks = [each.public_bytes(Encoding.PEM) for each in (credential.certificate, *credential.chain)]
    text = b"".join(blocks).decode()
    request = Request((Subject((Attribute(AttributeId.KEY_INFO, (text,)),)),), environment=_WORKER_NODE)
    trust = Snapshot("trust directory", lambda: load_trust_anchors(site.certificates), lambda: now)
    vomsdir = Snapshot("vomsdir", lambda: load_voms_trust(site.vomsdir), lambda: now)
    trust.refresh()
    vomsdir.refresh()
    store = _store(site)

    def point() -> GliteProfile:
        return GliteProfile(ProfileSettings(), CertificateJudge(trust, vomsdir, frozenset()))

    def judge_stranger() -> Request:
        names.read_name.cache_clear()  # what it knows of others would not help either
        return point().enrich(request, now)

    def judge_chain() -> None:
        path.verify(chain.order(pem.parse_certificates(text)), trust.current.value, now)

    acquainted = point()

    def recognise() -> Request:
        return acquainted.enrich(request, now)

    def verify_with_openssl() -> None:
        leaf, *others = (crypto.load_certificate(crypto.FILETYPE_PEM, block) for block in blocks)
        crypto.X509StoreContext(store, leaf, others).verify_certificate()

    _check(judge_stranger(), recognise(), recognise())
    rows = [
        Row("chain alone", *microseconds(judge_chain, verify_with_openssl)),
        Row("chain and attribute certificate, of a stranger", *microseconds(judge_stranger, verify_with_openssl)),
        Row("the same, accepted a while ago", *microseconds(recognise, verify_with_openssl)),
    ]
    title = f"A request with {len(blocks)} certificates below the CA's and one attribute certificate, microseconds"
    show(title, "argus", "pyOpenSSL", rows)


def _store(site: Site) -> crypto.X509Store:
    store = crypto.X509Store()
    store.add_cert(crypto.X509.from_cryptography(site.authority.certificate))
    store.set_flags(_ALLOW_PROXY_CERTS)
    return store


def _check(*enriched: Request) -> None:
    """The FQANs are there, and the same every time."""
    for request in enriched:
        fqans = [each.values for each in request.subjects[0].attributes if each.id == Glite.FQAN]
        if fqans != [PILOT_FQANS]:
            raise AssertionError(f"not the pilot: {fqans}")
