"""The name of a lease in the gridmapdir; other programs on the same directory make the same names, or nearly so.

Source: argus-pep-server:.../obligation/dfpmap/GridMapDirPoolAccountManager.java
"""

import re
from collections.abc import Iterable, Sequence

from argus_py.model.dn import DistinguishedName

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]")


def lease_name(dn: DistinguishedName, groups: Sequence[str]) -> str:
    """The groups go in as they are, the DN percent-encoded and in lower case.

    >>> lease_name(DistinguishedName.parse_rfc2253("CN=Jo Doe,C=CH"), ["atlas", "LTE"])
    '%2fc%3dch%2fcn%3djo%20doe:atlas:LTE'
    """
    return _name(dn.slash(), groups)


def other_spellings(dn: DistinguishedName, groups_in_orders: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The names under which LCMAPS may keep the lease of the same subject: as OpenSSL, old or new, writes the DN.

    With each of the lists of groups; ``lease_name`` of the first list is left out, and so is what comes twice. As all
    slash forms, these cannot tell every two names apart: a slash from a backslash and a slash, for one.
    """
    texts = (dn.slash(), dn.oneline(escaped=False), dn.oneline(escaped=True))
    _own, *others = dict.fromkeys(_name(text, groups) for groups in groups_in_orders for text in texts)
    return tuple(others)


def _name(text: str, groups: Sequence[str]) -> str:
    # All forms of the DN are ASCII: they escape every other character themselves.
    encoded = _NOT_ALPHANUMERIC.sub(lambda match: f"%{ord(match[0]):02x}", text).lower()
    return ":".join((encoded, *groups))
