"""Every refusal says where its rule is written."""

import ast
from pathlib import Path

import pytest

from argus_py.credentials import rejections
from argus_py.credentials.rejections import AcExtension, BadProxy, Rejection

CLASSES = [each for each in Rejection.__subclasses__() if each.__module__ == rejections.__name__]
CREDENTIALS = Path(rejections.__file__).parent


def codes_in_use() -> set[str]:
    """The first argument of whatever makes a refusal."""
    makers = {each.__name__ for each in CLASSES}
    calls = [
        node
        for path in CREDENTIALS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers
    ]
    return {str(call.args[0].value) for call in calls if call.args and isinstance(call.args[0], ast.Constant)}


@pytest.mark.parametrize("refusal", CLASSES, ids=lambda refusal: refusal.__name__)
def test_every_class_has_its_clause(refusal: type[Rejection]) -> None:
    assert refusal("no such code", "reason").clause == refusal.CLAUSE != Rejection.CLAUSE


def test_a_code_with_a_clause_of_its_own_says_that() -> None:
    assert BadProxy("proxyIssuedByCa", "reason").clause == "RFC 3820 section 3.1"
    assert BadProxy("proxyCASet", "reason").clause == "RFC 3820 section 3.7"
    assert AcExtension("other", "reason").clause == "RFC 5755 section 4.3"


def test_codes_with_a_clause_are_in_use() -> None:
    assert set(rejections._CLAUSE_OF_CODE) <= codes_in_use()
