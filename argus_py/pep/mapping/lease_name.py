"""The name of a lease in the gridmapdir; other programs on the same directory make the same names.

Source: argus-pep-server:.../obligation/dfpmap/GridMapDirPoolAccountManager.java
"""

import re
from collections.abc import Sequence

from argus_py.model.dn import DistinguishedName

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]")


def lease_name(dn: DistinguishedName, groups: Sequence[str]) -> str:
    """The groups go in as they are, the DN percent-encoded and in lower case.

    >>> lease_name(DistinguishedName.parse_rfc2253("CN=Jo Doe,C=CH"), ["atlas", "LTE"])
    '%2fc%3dch%2fcn%3djo%20doe:atlas:LTE'
    """
    # The slash form is ASCII: it escapes every other character itself.
    encoded = _NOT_ALPHANUMERIC.sub(lambda match: f"%{ord(match[0]):02x}", dn.slash()).lower()
    return ":".join((encoded, *groups))
