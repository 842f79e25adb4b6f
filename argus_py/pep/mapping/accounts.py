"""Which login name or pool a subject has in the account map; a target with a leading dot is a pool.

Source: argus-pep-server:.../obligation/dfpmap/DNPrimaryFQANAccountIndicatorMappingStrategy.java
"""

from argus_py.model.fqan import NULL, Fqan
from argus_py.pep.mapping.identity import GridIdentity, NoAccountIndicator
from argus_py.pep.mapping.map_file import MapEntry, MapFile, MapTarget


def account_indicator(accounts: MapFile, identity: GridIdentity, prefer_dn: bool) -> MapTarget:
    """The first target of the first line for the DN or for the primary FQAN; other FQANs never give an account.

    Raises NoAccountIndicator: no line fits.
    """
    by_dn = accounts.of_dn(identity.dn)
    by_fqan = () if identity.primary_fqan is None else accounts.of_fqan(identity.primary_fqan)
    entries = (by_dn or by_fqan) if prefer_dn else (by_fqan or by_dn)
    if not entries:
        raise NoAccountIndicator(identity)
    return MapTarget(entries[0].targets[0], entries[0])


def blind_to_role(accounts: MapFile, identity: GridIdentity) -> tuple[MapEntry, ...]:
    """Lines that would fit if the primary FQAN had no role, as ``/vo/*`` for ``/vo/Role=x``.

    The usual reason why a subject that policies permit has no account: in the files of LCMAPS such a line fits.
    """
    fqan = identity.primary_fqan
    return () if fqan is None or fqan.role == NULL else accounts.of_fqan(Fqan(fqan.group))


def pool_prefix(indicator: str) -> str | None:
    """``.dteam`` is the pool ``dteam``; None for a login name."""
    return indicator[1:] if indicator.startswith(".") else None
