"""Java exceptions as they travel in faults: ``CLASS: MESSAGE`` in the faultstring.

The Java client prints the whole text, and test suites of sites look for parts of it, so a service that takes the place
of the Java one names the classes too. Here are those that callers meet.

Source: argus-pap:src/main/java/org/glite/authz/pap/**/exceptions/*.java
"""

import re
from dataclasses import dataclass
from typing import Final

from argus_py.soap.fault import Fault

_PAP: Final = "org.glite.authz.pap"
_TEXT: Final = re.compile(r"(?P<java_class>[a-z]\w*(?:\.\w+)*\.[A-Z][\w$]*)(?:: (?P<message>.*))?", re.DOTALL)


class JavaClass:
    """Names of exception classes."""

    NOT_AUTHORIZED: Final = f"{_PAP}.authz.exceptions.PAPAuthzException"
    NOT_FOUND: Final = f"{_PAP}.repository.exceptions.NotFoundException"
    ALREADY_EXISTS: Final = f"{_PAP}.repository.exceptions.AlreadyExistsException"
    INVALID_VERSION: Final = f"{_PAP}.repository.exceptions.InvalidVersionException"
    REPOSITORY: Final = f"{_PAP}.repository.exceptions.RepositoryException"
    PAP_MANAGER: Final = f"{_PAP}.papmanagement.PapManagerException"
    DISTRIBUTION: Final = f"{_PAP}.distribution.DistributionConfigurationException"
    PAP: Final = f"{_PAP}.common.exceptions.PAPException"
    XACML_SERVICE: Final = f"{_PAP}.services.XACMLPolicyManagementServiceException"
    HIGH_LEVEL_SERVICE: Final = f"{_PAP}.services.HighLevelPolicyManagementServiceException"
    UNSUPPORTED_ATTRIBUTE: Final = f"{_PAP}.common.xacml.wizard.exceptions.UnsupportedAttributeException"
    ILLEGAL_ARGUMENT: Final = "java.lang.IllegalArgumentException"
    INDEX_OUT_OF_BOUNDS: Final = "java.lang.IndexOutOfBoundsException"
    NULL_POINTER: Final = "java.lang.NullPointerException"


@dataclass(frozen=True, slots=True)
class JavaException:
    """``java_class`` is empty for the text of a fault that names none."""

    java_class: str
    message: str

    @classmethod
    def parse(cls, text: str) -> "JavaException":
        """Take a faultstring apart.

        >>> JavaException.parse("java.lang.IndexOutOfBoundsException: Index: -1, Size: 2")
        JavaException(java_class='java.lang.IndexOutOfBoundsException', message='Index: -1, Size: 2')
        >>> JavaException.parse("No such operation 'x'")
        JavaException(java_class='', message="No such operation 'x'")
        """
        found = _TEXT.fullmatch(text)
        return cls("", text) if found is None else cls(found["java_class"], found["message"] or "")

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.java_class, self.message)))

    def fault(self, host: str | None = None) -> Fault:
        """As Axis sends what an operation throws; ``host`` is named in the detail."""
        return Fault("Server.userException", str(self), host=host)
