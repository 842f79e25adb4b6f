"""Who decides about the certificates of TLS clients: with a ``JudgingContext`` we do, in the handshake.

Python's ``ssl`` shows a chain to nobody before OpenSSL has judged it, and OpenSSL refuses proxies older than RFC 3820
whatever is set. So its library is called behind the back of ``ssl``, with the address that the context object holds.
Only the verdict on the chain is replaced: OpenSSL still demands a certificate, and still has the client prove with a
signature over the handshake that it holds the key.

INVARIANT: whatever goes wrong refuses. A judge that raises has refused, and no judge is in force before a handshake in
memory has shown that it sees the chain as sent and that its refusal is the end.
"""

import _ssl
import ctypes
import logging
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Final

_log = logging.getLogger(__name__)

_OLDEST, _NEWEST = (3, 11), (3, 13)  # CPython seen to have the SSL_CTX first in its PySSLContext (Modules/_ssl.c)
_VERIFY_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)  # X509_STORE_CTX, argument
_SET_SESSION_CACHE_MODE, _SESSION_CACHE_OFF = 44, 0  # SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF of openssl/ssl.h


class Verdict(IntEnum):
    """X509_V_* of openssl/x509_vfy.h, of which OpenSSL makes the alert (``ssl_x509err2alert``)."""

    ACCEPTED = 0
    INTERNAL_ERROR = 1
    CERTIFICATE_EXPIRED = 10
    UNKNOWN_CA = 20
    CERTIFICATE_REVOKED = 23
    BAD_CERTIFICATE = 28


Judge = Callable[[list[bytes]], Verdict]
"""Takes the certificates in DER as they were sent, the leaf first."""


class NotPossible(Exception):
    """This Python offers no way to judge, or one that does not do what it should."""


class JudgingContext(ssl.SSLContext):
    """A server's context whose clients can be judged by somebody else than OpenSSL.

    Their sessions are not kept: of one that is resumed no judge is asked, and each takes as much as its certificates,
    of which OpenSSL would keep 20,000 for two hours.
    """

    _callback: "_Callback"  # OpenSSL has its address for as long as there is a connection, and that keeps the context

    def judge_clients(self, judge: Judge, client: ssl.SSLContext) -> None:
        """Both contexts have a certificate, and this one requires one; ``client`` is for the handshake in memory.

        Raises NotPossible: OpenSSL judges as before.
        """
        library = _Library()
        callback = _Callback(library)
        address = _address(self)
        library.keep_no_sessions(address)
        library.set_verify_callback(address, callback.function)
        try:
            _prove(callback, self, client)
        except NotPossible:
            library.set_verify_callback(address, _VERIFY_CALLBACK())
            raise
        callback.judge = judge
        self._callback = callback


class _Library:
    """Functions of the OpenSSL that ``ssl`` is linked with; others may be in the process, with other structures."""

    def __init__(self) -> None:
        """Raises NotPossible: they are not to be found, as where OpenSSL is part of the program."""
        pointer, number = ctypes.c_void_p, ctypes.c_int
        try:
            library = ctypes.CDLL(getattr(_ssl, "__file__", None))
            self._set = library.SSL_CTX_set_cert_verify_callback
            self._control = library.SSL_CTX_ctrl
            self._sent = library.X509_STORE_CTX_get0_untrusted
            self._count = library.OPENSSL_sk_num
            self._item = library.OPENSSL_sk_value
            self._encode = library.i2d_X509
            self._set_error = library.X509_STORE_CTX_set_error
        except (OSError, AttributeError) as error:
            raise NotPossible(str(error)) from error
        self._set.argtypes, self._set.restype = (pointer, _VERIFY_CALLBACK, pointer), None
        self._control.argtypes, self._control.restype = (pointer, number, ctypes.c_long, pointer), ctypes.c_long
        self._sent.argtypes, self._sent.restype = (pointer,), pointer
        self._count.argtypes, self._count.restype = (pointer,), number
        self._item.argtypes, self._item.restype = (pointer, number), pointer
        self._encode.argtypes, self._encode.restype = (pointer, ctypes.POINTER(pointer)), number
        self._set_error.argtypes, self._set_error.restype = (pointer, number), None

    def set_verify_callback(self, context: int, function: Callable[[int, int], int]) -> None:
        self._set(context, function, None)

    def keep_no_sessions(self, context: int) -> None:
        self._control(context, _SET_SESSION_CACHE_MODE, _SESSION_CACHE_OFF, None)

    def set_error(self, store_context: int, verdict: Verdict) -> None:
        self._set_error(store_context, verdict)

    def sent(self, store_context: int) -> list[bytes]:
        stack = self._sent(store_context)
        return [self._der(self._item(stack, position)) for position in range(self._count(stack))]

    def _der(self, certificate: int) -> bytes:
        length = self._encode(certificate, None)
        if length <= 0:
            raise NotPossible("a certificate cannot be encoded")
        buffer = ctypes.create_string_buffer(length)
        end = ctypes.c_void_p(ctypes.addressof(buffer))  # i2d writes there and moves it on
        self._encode(certificate, ctypes.byref(end))
        return buffer.raw


class _Callback:
    """What OpenSSL calls instead of its own ``X509_verify_cert``, in the thread that does the handshake."""

    def __init__(self, library: _Library) -> None:
        self.judge: Judge = lambda _: Verdict.INTERNAL_ERROR
        self.function: Final = _VERIFY_CALLBACK(self._called)
        self._library = library

    def _called(self, store_context: int, _argument: int | None) -> int:
        verdict = Verdict.INTERNAL_ERROR
        try:
            verdict = self.judge(self._library.sent(store_context))
        except BaseException:  # noqa: BLE001
            # The border of the process: an exception that goes on from here makes ctypes answer with what lies in a
            # register, and that may be an acceptance.
            _log.exception("unexpected error, the client is refused")
        self._library.set_error(store_context, verdict)
        return int(verdict is Verdict.ACCEPTED)


def _address(context: ssl.SSLContext) -> int:
    """Of the SSL_CTX. Raises NotPossible: nobody knows where it stands in this Python."""
    if sys.implementation.name != "cpython" or not _OLDEST <= sys.version_info[:2] <= _NEWEST:
        raise NotPossible(f"the structures of {sys.implementation.name} {sys.version.split()[0]} are not known")
    address = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    if address is None:
        raise NotPossible("there is no SSL_CTX where it should be")
    return address


# --- The handshake in memory


def _prove(callback: _Callback, server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """Raises NotPossible: a judge is not asked, not obeyed, or sees other certificates than those sent."""
    for verdict in (Verdict.BAD_CERTIFICATE, Verdict.ACCEPTED):
        seen: list[bytes] = []

        def judge(sent: list[bytes], verdict: Verdict = verdict, seen: list[bytes] = seen) -> Verdict:
            seen += sent
            return verdict

        callback.judge = judge
        try:
            sent = _handshake(server, client)
        except ssl.SSLError as error:
            raise NotPossible(f"a handshake with ourselves fails: {error}") from error
        if not seen:
            raise NotPossible("no judge is asked")
        if sent != (seen if verdict is Verdict.ACCEPTED else None):
            raise NotPossible(f"{verdict.name} is not what comes of it")


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> list[bytes] | None:
    """What the client has sent, None if it was refused."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server)
    for _ in range(4):  # two flights each way are enough for TLS 1.2 and 1.3
        with suppress(ssl.SSLWantReadError):
            theirs.do_handshake()
        try:
            ours.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError:
            return None
        certificates = ours._sslobj.get_unverified_chain() or ()  # type: ignore[attr-defined]
        return [certificate.public_bytes(_ssl.ENCODING_DER) for certificate in certificates]
    raise NotPossible("a handshake does not come to its end")
