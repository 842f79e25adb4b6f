"""Where the PAP is: the URL of its services, from which the others follow.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/ServiceCLI.java
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from argus_py.cli.pap_admin.arguments import Arguments, ParseError

SERVICES_PATH: Final = "/pap/services/"
REST_PATH: Final = "/v1/"


def services_url(arguments: Arguments, properties: Mapping[str, str]) -> str:
    """With a slash at its end. Raises ParseError."""
    url = arguments.get("url")
    if url is not None:
        return _checked(url)
    host = arguments.get("host") or properties.get("host") or "localhost"
    port = arguments.get("port") or properties.get("port") or "8150"
    if not (port.isascii() and port.isdigit()):
        raise ParseError(f'Invalid port number "{port}" (option -p, --port)')
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return _checked(f"https://{bracketed}:{port}{SERVICES_PATH}")


def rest_url(services: str) -> str | None:
    """That of the same PAP, if it is one of ours; None: the services are not where ours has them."""
    return services.removesuffix(SERVICES_PATH) + REST_PATH if services.endswith(SERVICES_PATH) else None


def _checked(url: str) -> str:
    """BETTER: of a URL without a path the services are meant, and a slash may be left out."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError as error:
        raise ParseError(f'Invalid URL "{url}": {error}') from error
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ParseError(f'Invalid URL "{url}"')
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ParseError(f'Invalid URL "{url}"')
    if parts.path in ("", "/"):
        return f"{parts.scheme}://{parts.netloc}{SERVICES_PATH}"
    return url if url.endswith("/") else f"{url}/"
