"""Names of mailboxes, hosts and networks: rfc822Name (XACML 2.0 appendix A.2), ipAddress and dnsName (appendix B.3)."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from argus_py.model.identifiers import DataType
from argus_py.xacml.values import UnreadableValue, trim

_MAX_LENGTH: Final = 1024  # a mailbox has at most 320 characters, a host name 253
_MAILBOX: Final = re.compile(r'(?P<local>"[^"\s]+"|[^@"\s]+)@(?P<domain>[^@\s]+)')
_PORTS: Final = r"(?::(?:[0-9]{1,5}(?:-[0-9]{0,5})?|-[0-9]{1,5}))?"
_HOST: Final = re.compile(rf"(?:\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?){_PORTS}", re.ASCII)
_IPV4: Final = re.compile(rf"(?P<address>[0-9.]+)(?:/(?P<mask>[0-9.]+))?{_PORTS}", re.ASCII)
_IPV6: Final = re.compile(rf"\[(?P<address>[0-9A-Fa-f:.]+)\](?:/\[(?P<mask>[0-9A-Fa-f:.]+)\])?{_PORTS}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rfc822Name:
    """The case of ``local`` counts, that of a domain does not: ``domain`` is in lower case."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class IpAddress:
    """The standard compares the text alone, and only with patterns."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class DnsName:
    """The standard compares the text alone, and only with patterns."""

    text: str

    def __str__(self) -> str:
        return self.text


def read_rfc822_name(text: str) -> Rfc822Name:
    """Raises UnreadableValue."""
    match = _MAILBOX.fullmatch(_bounded(DataType.RFC822_NAME, text))
    if not match:
        raise UnreadableValue(DataType.RFC822_NAME, text, "local-part@domain is expected")
    return Rfc822Name(match["local"], match["domain"].lower())


def read_ip_address(text: str) -> IpAddress:
    """Address, mask and ports: ``192.0.2.0/255.255.255.0:1024-``, ``[2001:db8::1]:443``. Raises UnreadableValue."""
    trimmed = _bounded(DataType.IP_ADDRESS, text)
    match = _IPV4.fullmatch(trimmed) or _IPV6.fullmatch(trimmed)
    try:
        if not match:
            raise ValueError("address[/mask][:ports] is expected")
        for part in filter(None, (match["address"], match["mask"])):
            ipaddress.ip_address(part)
    except ValueError as error:
        raise UnreadableValue(DataType.IP_ADDRESS, text, str(error)) from error
    return IpAddress(trimmed)


def read_dns_name(text: str) -> DnsName:
    """Host and ports: ``*.example.org:1024-2048``. Raises UnreadableValue."""
    trimmed = _bounded(DataType.DNS_NAME, text)
    if not _HOST.fullmatch(trimmed):
        raise UnreadableValue(DataType.DNS_NAME, text, "host[:ports] is expected")
    return DnsName(trimmed)


def _bounded(datatype: str, text: str) -> str:
    trimmed = trim(text)
    if len(trimmed) > _MAX_LENGTH:
        raise UnreadableValue(datatype, text, f"longer than {_MAX_LENGTH} characters")
    return trimmed
