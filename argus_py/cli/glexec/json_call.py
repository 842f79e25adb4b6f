"""The question of argus-glexec as JSON, to /v1/authorize, by the client for programs of any kind.

What comes back is the same value as from the other wire, so that account, refusals and log lines are the same.
Endpoints are asked as on the other wire, too: the client would take a status such as 404 for the last word, and here
the next endpoint may be a daemon that has the path.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from argus_py.client import (
    Argus,
    Authorization,
    Certificates,
    Credential,
    NoAnswer,
    QuestionRefused,
    UnusableCredential,
)
from argus_py.credentials.chain import UnverifiedChain
from argus_py.credentials.tls import sent_chain
from argus_py.errors import ConfigurationError
from argus_py.model.response import Response, Result, Status, StatusCode
from argus_py.worker.failover import DEADLINES, Deadlines, EndpointFailed, first_answer
from argus_py.worker.pep_question import Question
from argus_py.worker.ports import PepTls


def ask(
    endpoints: Sequence[str],
    question: Question,
    tls: PepTls,
    *,
    proxy: bytes | None,
    judge: Callable[[UnverifiedChain], object] | None,
    deadlines: Deadlines = DEADLINES,
    monotonic: Callable[[], float] = time.monotonic,
) -> Response:
    """``proxy`` holds certificates and key in PEM; ``judge`` raises CredentialRejected for a chain of a server.

    Raises NoEndpointAnswers; ConfigurationError: an endpoint, a file of ``tls`` or the proxy cannot be used.
    """
    assert tls.check, "the plug-in takes no other"
    with _shown(tls, proxy) as credential:

        def argus(endpoint: str, timeout: timedelta) -> Argus:
            return Argus(
                [endpoint],
                credential=credential,
                ca_directory=None if tls.ca_directory is None else Path(tls.ca_directory),
                ca_file=None if tls.ca_file is None else Path(tls.ca_file),
                connect_timeout=deadlines.connect,
                timeout=timeout,
                judge=None if judge is None else lambda connection: judge(sent_chain(connection)),
                monotonic=monotonic,
            )

        def answer(endpoint: str, end: float) -> Response:
            asked = argus(endpoint, timedelta(seconds=end - monotonic()))
            try:
                return _response(_authorize(asked, question))
            except UnusableCredential as error:
                if proxy is None or credential is None or error.file != credential.certificate:
                    raise
                raise ConfigurationError(f"the proxy cannot be shown to Argus: {error.reason}") from error

        for endpoint in endpoints:
            argus(endpoint, deadlines.exchange)  # one that cannot be used is told before any other is asked
        return first_answer(endpoints, answer, deadlines, monotonic)


@contextmanager
def _shown(tls: PepTls, proxy: bytes | None) -> Iterator[Credential | None]:
    """The proxy from memory: its file may lie where root cannot read it, and must not change in between."""
    if proxy is not None:
        with os.fdopen(os.memfd_create("proxy", os.MFD_CLOEXEC), "wb") as memory:
            memory.write(proxy)
            memory.flush()
            yield Credential(Path(f"/proc/self/fd/{memory.fileno()}"))
    elif tls.certificate is None:
        yield None
    else:
        yield Credential(Path(tls.certificate), Path(tls.private_key or tls.certificate), tls.password)


def _authorize(argus: Argus, question: Question) -> Authorization:
    """Raises EndpointFailed."""
    pilot = None if question.pilot is None else Certificates(question.pilot)
    try:
        return argus.authorize(Certificates(question.payload), question.resource, question.action, pilot=pilot)
    except NoAnswer as error:
        raise EndpointFailed(error.attempts[0].reason) from error
    except QuestionRefused as error:
        raise EndpointFailed(f"HTTP status {error.status}{f': {error.detail}' if error.detail else ''}") from error


def _response(answer: Authorization) -> Response:
    status = Status(StatusCode(answer.status), answer.message)
    return Response((Result(answer.decision, status, answer.obligations),))
