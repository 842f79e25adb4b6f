"""The PEP daemon seen from a client: one request, one POST, one answer.

For command lines and worker nodes, hence with what a grid host has: a directory of CA certificates, a host certificate
or a proxy file. Host names are always checked. As with libcurl, on which the C client stands, the system's anchors are
trusted too unless a CA file is named, and the proxy settings of the environment are followed.

Source: argus-pep-api-c:src/argus/pep.c
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from argus_py import __version__
from argus_py.errors import ConfigurationError, Unavailable
from argus_py.hessian import base64_lines, messages
from argus_py.model.request import Request
from argus_py.model.response import Response

DEFAULT_TIMEOUT: Final = timedelta(seconds=30)

_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # a compressed answer would escape the limit on its size
    "Content-Type": "application/octet-stream",
    "User-Agent": f"argus-py/{__version__}",
}


class PepUnreachable(Unavailable):
    """No complete answer came from ``endpoint``; ``reason`` says what went wrong on the way."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"{endpoint}: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class PepRefused(Unavailable):
    """``endpoint`` answered with an HTTP status other than 200, which alone carries a response."""

    def __init__(self, endpoint: str, status: int) -> None:
        super().__init__(f"{endpoint}: HTTP status {status}")
        self.endpoint = endpoint
        self.status = status


@dataclass(frozen=True, slots=True)
class PepTls:
    """PEM files. ``certificate`` may hold a chain, and may be the same file as ``private_key``, as for a proxy.

    ``ca_directory`` is hashed as OpenSSL does; certificates found there are trusted besides those of ``ca_file`` or,
    without one, of the system.
    """

    ca_file: Path | None = None
    ca_directory: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    private_key_password: str | None = None


class HttpPep:
    """One endpoint; keeps its connection from one request to the next. To be closed, or used in a ``with``."""

    def __init__(
        self,
        endpoint: str,
        tls: PepTls,
        timeout: timedelta = DEFAULT_TIMEOUT,
        http: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``timeout`` is for a whole exchange; ``http`` stands in for the network.

        Raises ConfigurationError: a file of ``tls`` or a proxy setting of the environment cannot be used.
        """
        self._endpoint = endpoint
        self._seconds = timeout.total_seconds()
        self._monotonic = monotonic
        context = _context(tls)
        try:
            self._client = httpx.Client(verify=context, timeout=self._seconds, headers=_HEADERS, transport=http)
        except (ImportError, ValueError, httpx.InvalidURL) as error:  # a SOCKS proxy, another scheme, no URL
            raise ConfigurationError(f"the proxy settings of the environment cannot be used: {error}") from error

    def authorize(self, request: Request) -> Response:
        """The response, whatever it decides.

        Raises PepUnreachable, PepRefused: there is none; HessianError, MessageError, BodyTooLarge: it is unreadable.
        """
        body = base64_lines.encode(messages.write_request(request))
        return messages.read_response(base64_lines.decode(self._post(body)))

    def _post(self, body: bytes) -> bytes:
        deadline = self._monotonic() + self._seconds
        received = bytearray()
        try:
            with self._client.stream("POST", self._endpoint, content=body) as response:
                if response.status_code != httpx.codes.OK:
                    raise PepRefused(self._endpoint, response.status_code)
                for piece in response.iter_raw():
                    received += piece
                    if len(received) > base64_lines.MAX_BODY:
                        raise base64_lines.BodyTooLarge
                    if self._monotonic() > deadline:
                        raise PepUnreachable(self._endpoint, f"no complete answer within {self._seconds:g} seconds")
        except httpx.TimeoutException as error:
            raise PepUnreachable(self._endpoint, f"no answer within {self._seconds:g} seconds") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PepUnreachable(self._endpoint, str(error) or type(error).__name__) from error
        return bytes(received)

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _context(tls: PepTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as libcurl: a CA below the root may be the anchor
    try:
        if tls.ca_file is None:
            context.load_default_certs()
        if tls.ca_file is not None or tls.ca_directory is not None:
            context.load_verify_locations(tls.ca_file, tls.ca_directory)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"no trust anchors in {tls.ca_file or tls.ca_directory}: {error}") from error
    if tls.certificate is not None:
        password = tls.private_key_password
        try:
            # A password function keeps OpenSSL from asking on the terminal when the key is encrypted and none is given.
            context.load_cert_chain(tls.certificate, tls.private_key, password=lambda: password or "")
        except (OSError, ssl.SSLError) as error:
            pair = f"{tls.certificate} with the key {tls.private_key or tls.certificate}"
            raise ConfigurationError(f"{pair} cannot be used: {error}") from error
    return context
