"""Which login name or pool a subject has in the account map; a target with a leading dot is a pool.

Source: argus-pep-server:.../obligation/dfpmap/DNPrimaryFQANAccountIndicatorMappingStrategy.java
"""

from argus_py.pep.mapping.identity import GridIdentity, NoAccountIndicator
from argus_py.pep.mapping.map_file import MapFile


def account_indicator(accounts: MapFile, identity: GridIdentity, prefer_dn: bool) -> str:
    """The first target of the first line for the DN or for the primary FQAN; other FQANs never give an account.

    Raises NoAccountIndicator: no line fits.
    """
    by_dn = accounts.targets_of_dn.get(identity.dn, ())
    primary = identity.primary_fqan
    by_fqan = next((e.targets for e in accounts.fqan_entries if primary is not None and e.pattern.matches(primary)), ())
    targets = (by_dn or by_fqan) if prefer_dn else (by_fqan or by_dn)
    if not targets:
        raise NoAccountIndicator(identity)
    return targets[0]


def pool_prefix(indicator: str) -> str | None:
    """``.dteam`` is the pool ``dteam``; None for a login name."""
    return indicator[1:] if indicator.startswith(".") else None
