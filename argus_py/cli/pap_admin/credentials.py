"""Whose certificate pap-admin shows: that of the options, of the environment, or of the usual places.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/ServiceCLI.java
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argus_py.cli.pap_admin.arguments import Arguments, ParseError

HOST_CERTIFICATE: Final = Path("/etc/grid-security/hostcert.pem")
HOST_KEY: Final = Path("/etc/grid-security/hostkey.pem")
_ROOT: Final = 0


@dataclass(frozen=True, slots=True)
class Credential:
    """PEM files; a proxy is its own key. ``told`` says where it comes from, when the user did not."""

    certificate: Path
    key: Path
    told: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Of the process: effective user id, home and environment; ``temporary`` is where proxies are by default."""

    euid: int
    home: Path
    environment: Mapping[str, str]
    temporary: Path = Path("/tmp")  # noqa: S108 - the place that voms-proxy-init writes to


def choose(arguments: Arguments, user: User) -> Credential:
    """Raises ParseError: options or variables that do not go together, or nothing there."""
    proxy, certificate, key = (arguments.get(name) for name in ("proxy", "cert", "key"))
    for name, value in (("cert", certificate), ("key", key)):
        if proxy and value:
            raise ParseError(f"Conflicting options --proxy and --{name}.")
    if proxy:
        return Credential(Path(proxy), Path(proxy))
    if certificate and key:
        return Credential(Path(certificate), Path(key))
    if certificate:
        raise ParseError("Option --cert requires also option --key.")
    if key:
        raise ParseError("Option --key requires also option --cert.")
    if user.euid == _ROOT:
        return _of_environment(user) or Credential(
            HOST_CERTIFICATE, HOST_KEY, f"using {HOST_CERTIFICATE} and {HOST_KEY}"
        )
    return _of_user(user)


def _of_environment(user: User) -> Credential | None:
    certificate, key = (user.environment.get(name) for name in ("X509_USER_CERT", "X509_USER_KEY"))
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ParseError("Set both of the environment variables X509_USER_CERT and X509_USER_KEY, or none.")
    told = f"using {certificate} and {key} (from environment X509_USER_CERT and X509_USER_KEY)"
    return Credential(Path(certificate), Path(key), told)


def _of_user(user: User) -> Credential:
    proxy = user.environment.get("X509_USER_PROXY")
    if proxy:
        return Credential(Path(proxy), Path(proxy), f"using proxy (from environment X509_USER_PROXY)  {proxy}")
    given = _of_environment(user)
    if given:
        return given
    usual = user.temporary / f"x509up_u{user.euid}"
    if usual.exists():
        return Credential(usual, usual, f"using proxy {usual}")
    certificate, key = user.home / ".globus/usercert.pem", user.home / ".globus/userkey.pem"
    if certificate.exists() and key.exists():
        return Credential(certificate, key, f"using {certificate} and {key}")
    raise ParseError(
        "Unable to find a certificate or a proxy, please specify a proxy file with option --proxy "
        "or certificate and key with options --cert and --key"
    )
