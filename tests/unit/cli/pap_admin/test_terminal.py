"""What people at a terminal see and are asked, and scripts are not."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from argus_py.cli.pap_admin.arguments import Arguments
from argus_py.cli.pap_admin.command import Call, Console
from argus_py.cli.pap_admin.service import Hunk, PapService

DIFFERENCE = (Hunk("pap default", (" a", "-b", "+c")),)


def unused() -> PapService:
    raise AssertionError("nothing is to be connected")


def told(colours: bool) -> str:
    out = io.StringIO()
    Call(Arguments(), "", unused, Console(out, io.StringIO(), colours=colours)).tell(DIFFERENCE)
    return out.getvalue()


def test_a_difference_has_colours_only_where_they_are_seen() -> None:
    assert told(colours=False) == "@@ pap default @@\n a\n-b\n+c\n"
    assert told(colours=True) == "\x1b[36m@@ pap default @@\x1b[0m\n a\n\x1b[31m-b\x1b[0m\n\x1b[32m+c\x1b[0m\n"


class User:
    def __init__(self, answer: str) -> None:
        self.questions: list[str] = []
        self._answer = answer

    def __call__(self, question: str) -> str:
        self.questions.append(question)
        return self._answer


@pytest.mark.parametrize(("answer", "code"), [("y", 0), (" YES ", 0), ("", 2), ("n", 2), ("nay", 2)])
def test_who_is_there_is_asked_before_all_is_removed(answer: str, code: int, pap_admin: Any) -> None:
    pap_admin("ban", "vo", "x")
    pap_admin.user = User(answer)
    outcome = pap_admin("rap")
    assert outcome.exit_code == code
    assert pap_admin.user.questions == ["Remove all policies of the pap 'default'? [y/N] "]
    assert ('vo="x"' in pap_admin("lp").stdout) == (code == 2)


def test_yes_and_a_script_are_not_asked(pap_admin: Any) -> None:
    ask: Callable[[str], str] = User("n")
    for words, user in ((["--yes"], ask), ([], None)):
        pap_admin("ban", "vo", "x")
        pap_admin.user = user
        assert pap_admin("rap", *words).exit_code == 0
        assert 'vo="x"' not in pap_admin("lp").stdout
