"""What a PAP or a PDP of our kind tells of its policy; the waiting side of ``model/policy_news.py``."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx

from argus_py.clients.transport import PeerUnreachable, Transport
from argus_py.errors import Unavailable
from argus_py.model import policy_news
from argus_py.model.policy_news import News, NoNews

_PATIENCE: Final = policy_news.WAIT + timedelta(seconds=5)
_NOT_THERE: Final = (404, 405, 501)


class NoChangeFeed(Unavailable):
    """The daemon at ``url`` has nothing of the kind, as those in Java."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} tells nothing of changes")
        self.url = url


class ChangesRefused(Unavailable):
    """The daemon at ``url`` answers, but not as it should; ``reason`` is not likely to go away by itself."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason


class HttpChanges:
    """The change feed of one daemon."""

    def __init__(self, service: str, transport: Transport) -> None:
        """``service``: the URL of any service on the same port. Raises PeerUnreachable: it is none."""
        self.service = service
        try:
            parts = urlsplit(service)
            self._url = httpx.URL(f"{parts.scheme}://{parts.netloc}{policy_news.PATH}")
        except (ValueError, httpx.InvalidURL) as error:
            raise PeerUnreachable(service, str(error)) from error
        self._transport = transport

    def after(self, known: str | None) -> News | None:
        """What differs from the state ``known``, at once for None; None if for a while there was nothing.

        Raises NoChangeFeed; PeerUnreachable: no answer; ChangesRefused: not permitted, or no usable answer.
        """
        url = str(self._url.copy_merge_params({policy_news.AFTER: known or ""}))
        try:
            answer = self._transport.get(url, policy_news.MAX_OCTETS, _PATIENCE)
        except PeerUnreachable as error:
            raise PeerUnreachable(self.service, error.reason) from error
        if answer.status == 204:
            return None
        if answer.status in _NOT_THERE:
            raise NoChangeFeed(self.service)
        if answer.status == 503:
            raise PeerUnreachable(self.service, "HTTP status 503")
        if answer.status != 200:
            raise ChangesRefused(self.service, f"HTTP status {answer.status}")
        try:
            return policy_news.read_news(answer.content)
        except NoNews as error:
            raise ChangesRefused(self.service, str(error)) from error
