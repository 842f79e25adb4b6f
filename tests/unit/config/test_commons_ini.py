"""The PAP's dialect against what commons-configuration made of the same texts, and the deliberate differences."""

import json
from pathlib import Path

import pytest

from argus_py.config.commons_ini import parse_commons_ini
from argus_py.config.ini import SIZE_LIMIT, BadConfiguration

VECTORS = Path(__file__).parents[2] / "vectors" / "ini"
RECORDED = json.loads((VECTORS / "commons-configuration.json").read_text())


def read(text: str) -> dict[str, str] | None:
    try:
        sections = parse_commons_ini(text, "f.ini").sections
    except BadConfiguration:
        return None
    # Java knows one flat map: a key is the header's text, a dot, what stands before the separator, all of it trimmed
    return {
        f"{name}.{key}".strip(): e.value for name, section in sections.items() for key, e in section.entries.items()
    }


@pytest.mark.parametrize("case", RECORDED, ids=range(len(RECORDED)))
def test_texts_read_as_commons_configuration_reads_them(case: dict[str, object]) -> None:
    assert read(str(case["text"])) == case["read"]


def problems(text: str) -> list[str]:
    with pytest.raises(BadConfiguration) as refusal:
        parse_commons_ini(text, "f.ini")
    return str(refusal.value).split("\n")


def test_keys_before_any_header_are_refused() -> None:
    assert problems("k=1\n[a] x\n[a]\nk=2") == [
        "f.ini:1: stands before any section header",
        "f.ini:2: stands before any section header",
    ]


def test_references_in_a_circle_are_refused() -> None:
    assert problems("[a]\nk=${a.l}\nl=x${a.k}\nm=1") == [
        "f.ini:2 [a] k: references in a circle",
        "f.ini:3 [a] l: references in a circle",
    ]


def test_references_that_grow_without_end_are_refused_soon() -> None:
    assert problems("[a]\nk=" + "${a.k}" * 500) == ["f.ini:2 [a] k: references in a circle"]


def test_a_line_has_a_length_limit() -> None:
    assert problems("[a]\nk=" + "${a.k}" * 700) == ["f.ini:2: longer than 4096 characters"]


def test_what_is_not_utf8_does_no_harm_in_a_comment() -> None:
    assert read("# \ufffd\n[a]\nk=1") == {"a.k": "1"}
    assert problems("[a]\nk=\ufffd") == ["f.ini:2: is not UTF-8 text"]


def test_a_file_has_a_size_limit() -> None:
    assert problems("#" * (SIZE_LIMIT + 1)) == [f"f.ini: larger than {SIZE_LIMIT} characters"]


def test_commas_and_repeated_keys_make_lists() -> None:
    (section,) = parse_commons_ini("[a]\nk = x, y\\,z ,${a.l}\nl = w\nk = v\n", "f.ini").sections.values()
    assert section.entries["k"].value == "x"
    assert section.entries["k"].more == ("y,z", "w", "v")
