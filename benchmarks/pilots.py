"""What computing elements ask: requests in which a proxy with an attribute certificate stands, on a made-up site."""

from collections.abc import Iterator
from datetime import UTC, datetime

from argus_py.hessian import base64_lines, messages
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from benchmarks.load import Identity
from benchmarks.policies import ACTION, GROUP
from demo.issuing import proxy_of
from demo.site import Site

_FQANS = (f"{GROUP}/Role=NULL/Capability=NULL", f"{GROUP}/analysis/Role=NULL/Capability=NULL")


def identities(site: Site, count: int, resource: str) -> list[Identity]:
    """A user with an account for each client; all ask for the same resource."""
    return [_identity(site, number, resource) for number in range(1, count + 1)]


def _identity(site: Site, number: int, resource: str) -> Identity:
    (site.gridmapdir / f"dteam{number:03d}").touch()
    proxy = site.pilot(f"Load User {number}", _FQANS)
    file = site.root / f"load-user-{number}.pem"
    file.write_bytes(proxy.proxy_file())
    return Identity(file, site.certificates, (body(proxy.certificate_pem().decode(), resource),))


def proxies(site: Site, users: int, each: int) -> Iterator[str]:
    """PEM texts of proxies, so many of each of so many users, one of every user after the other.

    The proxies of a user share their key: it takes longer to make than all the rest, and nobody looks whether he has
    seen it before.
    """
    now = datetime.now(UTC)
    owners = [site.authority.user(f"Pilot {number}") for number in range(1, users + 1)]
    certificates = [site.voms.attribute_certificate(owner, _FQANS, now) for owner in owners]
    for number in range(users + 1):
        (site.gridmapdir / f"dteam{number:03d}").touch()
    for _ in range(each):
        for owner, certificate in zip(owners, certificates, strict=True):
            yield proxy_of(owner, now, [certificate], key=owner.key).certificate_pem().decode()


def body(pem: str, resource: str) -> bytes:
    """What the C client sends for a job with this proxy chain on a computing element."""
    profile = Attribute(Glite.PROFILE_ID, (Glite.PROFILE_COMPUTE_ELEMENT,), DataType.ANY_URI)
    request = Request(
        (Subject((Attribute(AttributeId.KEY_INFO, (pem,)),)),),
        (Resource((Attribute(AttributeId.RESOURCE_ID, (resource,)),)),),
        Action((Attribute(AttributeId.ACTION_ID, (ACTION,)),)),
        Environment((profile,)),
    )
    return base64_lines.encode(messages.write_request(request))
