"""What tests of several kinds share: the recorded session of the Java client with the services of a PAP."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
from lxml import etree

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SKIPPED = {"addRule-bottom-new-resource"}  # it would leave a resource that the recorded PAP did not have
# BETTER than the recorded answers, each with a test of its own.
DIFFERENT = {
    "ping": "our version",
    "getPollingInterval": "the recorded PAP was configured so",
    "move-not-found": "names what was not found, in Java the other one",
}
WITHOUT_ORDER = ("getAllPaps", "listPolicies", "listPolicySets", "getACL")


class RecordedSession:
    """Which of our ids stands for which recorded one."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}

    def replay(
        self, exchanges: Iterable[dict[str, Any]], send: Callable[[dict[str, Any], str], httpx.Response]
    ) -> None:
        """``send`` takes an exchange, and its request with our ids in it."""
        for exchange in exchanges:
            if exchange["case"] in SKIPPED:
                continue
            answer = send(exchange, self._request(exchange["request"]))
            self._learn(exchange["response"], answer.text)
            assert answer.status_code == exchange["status"], (exchange["case"], answer.text)
            if exchange["case"] not in DIFFERENT:
                recorded, given = self._comparable(exchange["response"]), self._comparable(answer.text)
                assert given == recorded, exchange["case"]

    def _request(self, text: str) -> str:
        """BETTER: an action that was loaded as private is private here, which its id says by an underscore."""
        return UUID.sub(lambda found: self._ours.get(found[0], found[0]), text).replace("private-", "private_")

    def _learn(self, recorded: str, given: str) -> None:
        ids = ([id for part in self._parts(text) for id in UUID.findall(part)] for text in (recorded, given))
        for theirs, ours in zip(*ids, strict=False):
            self._ours.setdefault(theirs, ours)

    def _comparable(self, text: str) -> list[str]:
        """White space aside, declarations aside, and the order of lists that have none."""
        recorded = {ours: theirs for theirs, ours in self._ours.items()}
        parts = self._parts(text)
        return [UUID.sub(lambda found: recorded.get(found[0], found[0]), part) for part in parts]

    def _parts(self, text: str) -> list[str]:
        """The name of the answer and what is in it: of lists the items, in the order of what is in them beside ids."""
        root = etree.fromstring(text.replace("private_", "private-").encode(), etree.XMLParser(remove_blank_text=True))
        ((answer,),) = root
        name = etree.QName(answer).localname
        if name.removesuffix("Response") not in WITHOUT_ORDER:
            return [name, *map(plain, answer)]
        known = {*self._ours, *self._ours.values()}

        def masked(part: str) -> str:
            return UUID.sub(lambda found: "known" if found[0] in known else "new", part)

        # Versions only have to grow: in Java a new element has been changed already by what is put into it.
        return [name, *sorted((re.sub(r"\('Version', '\d+'\)", "", plain(item)) for item in answer[0]), key=masked)]


def plain(element: etree._Element) -> str:
    """With names and namespaces, without prefixes and superfluous declarations."""
    attributes = sorted(element.attrib.items())
    return f"<{element.tag} {attributes}>{element.text or ''}{''.join(map(plain, element))}</>"


@pytest.fixture
def recorded_session() -> RecordedSession:
    return RecordedSession()
