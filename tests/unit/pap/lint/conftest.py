"""Lint of a policy text."""

from collections.abc import Callable

import pytest

from argus_py.pap.lint.findings import Check, Finding
from argus_py.pap.lint.linter import lint
from argus_py.pap.lint.sources import source_of_text
from argus_py.spl.attributes import DEFAULT_MAPPINGS

FindingsOf = Callable[..., list[Finding]]


@pytest.fixture
def findings_of() -> FindingsOf:
    """Of several texts that are one policy; by default without information."""

    def found(*texts: str, checks: set[Check] | None = None) -> list[Finding]:
        sources = [source_of_text(f"{number}.spl", text, DEFAULT_MAPPINGS) for number, text in enumerate(texts, 1)]
        wanted = set(Check) - {Check.NO_CATCH_ALL} if checks is None else checks
        return [finding for finding in lint(sources, DEFAULT_MAPPINGS) if finding.check in wanted]

    return found
