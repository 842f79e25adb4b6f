"""The dialect against what ini4j made of the same texts, the rules of typed values, and the deliberate differences."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from argus_py.config.ini import SIZE_LIMIT, BadConfiguration, Findings, SectionReader, parse_ini

VECTORS = Path(__file__).parents[2] / "vectors" / "ini"
RECORDED = json.loads((VECTORS / "ini4j.json").read_text())


def read(text: str) -> dict[str, dict[str, str]] | None:
    try:
        sections = parse_ini(text, "f.ini").sections
    except BadConfiguration:
        return None
    return {name: {key: entry.value for key, entry in section.entries.items()} for name, section in sections.items()}


@pytest.mark.parametrize("case", RECORDED, ids=range(len(RECORDED)))
def test_texts_read_as_ini4j_reads_them(case: dict[str, object]) -> None:
    assert read(str(case["text"])) == case["read"]


def test_a_byte_order_mark_is_accepted() -> None:
    assert read("\ufeff[A]\nk=1") == {"A": {"k": "1"}}


def test_a_slash_in_a_section_name_means_nothing() -> None:
    assert read("[A/B]\nk=1") == {"A/B": {"k": "1"}}


def problems(text: str) -> list[str]:
    with pytest.raises(BadConfiguration) as refusal:
        parse_ini(text, "f.ini")
    return str(refusal.value).split("\n")


def test_every_bad_line_is_told_with_its_place() -> None:
    text = "k=1\n[A] x\n[B]\nword\n=v\nk=\\u12\n[]\nk=\\ud800\nk=\ufffd\nk=a\0b\nk=a\\"
    assert problems(text) == [
        "f.ini:1: stands before any section header",
        "f.ini:2: text after the closing bracket of a section header",
        "f.ini:4 [B]: neither a section header nor a key with a value",
        "f.ini:5 [B]: a value without a key",
        "f.ini:6 [B]: a backslash followed by nothing it could escape",
        "f.ini:7 [B]: a section header without a name",
        "f.ini:8 [B]: a backslash-u escape that is half a character",
        "f.ini:9 [B]: is not UTF-8 text",
        "f.ini:10 [B]: a null character, which no name of a file or host can have",
        "f.ini:11 [B]: the last line ends in a backslash",
    ]


def test_what_is_not_utf8_does_no_harm_in_a_comment() -> None:
    assert read("# \ufffd\n[A]\nk=1") == {"A": {"k": "1"}}


def test_a_continued_value_has_the_line_it_begins_on() -> None:
    assert parse_ini("[A]\nk=a\\\nb\\\nc\nl=d", "f.ini").sections["A"].entries["k"].line == 2
    assert parse_ini("[A]\nk=a\\\nb\\\nc\nl=d", "f.ini").sections["A"].entries["l"].line == 5


def test_a_file_has_a_size_limit() -> None:
    assert problems("#" * (SIZE_LIMIT + 1)) == [f"f.ini: larger than {SIZE_LIMIT} characters"]


def reader(text: str) -> tuple[SectionReader, Findings]:
    findings = Findings()
    return SectionReader("f.ini", parse_ini(f"[S]\n{text}", "f.ini").sections["S"], findings), findings


def told(findings: Findings) -> tuple[list[str], list[str]]:
    """Errors and warnings."""
    return [str(problem) for problem in findings.errors], [str(problem) for problem in findings.warnings]


@pytest.mark.parametrize(("text", "value"), [("k = x y ", "x y"), ("", None), ("K = x", None)])
def test_keys_keep_their_case(text: str, value: str | None) -> None:
    section, findings = reader(text)
    assert section.string("k") == section.secret("k") == value
    assert told(findings) == ([], [])


def test_an_empty_string_is_missing_with_a_warning() -> None:
    section, findings = reader("k =")
    assert section.string("k") is section.string("k") is None
    assert told(findings) == ([], ["f.ini:2 [S] k: is empty, which is the same as missing"])


def test_of_a_secret_nothing_is_told() -> None:
    section, findings = reader("k =\nl = my # word")
    assert (section.secret("k"), section.secret("l")) == (None, "my # word")
    assert told(findings) == ([], [])


@pytest.mark.parametrize("value", ["/dir # where", "/dir ;", "a\t# b"])
def test_what_looks_like_a_comment_within_a_line_is_warned_of(value: str) -> None:
    section, findings = reader(f"k = {value}")
    assert section.string("k") == value
    assert told(findings)[1] == [
        "f.ini:2 [S] k: comments stand on lines of their own, here all of the line is the value"
    ]


@pytest.mark.parametrize("value", ["http://x/y#z", "a;b", "#"])
def test_other_signs_of_comments_are_taken_for_text(value: str) -> None:
    section, findings = reader(f"k = {value}")
    assert section.string("k") == value
    assert told(findings) == ([], [])


def test_of_a_key_given_twice_it_is_told_which_line_counts() -> None:
    ini = parse_ini("[S]\nk=1\n[T]\nk=0\n[S]\nk=2\nk=3", "f.ini")
    assert ini.sections["S"].entries["k"].value == "3"
    assert list(map(str, ini.warnings)) == [
        "f.ini:2 [S] k: ignored, since line 6 gives the key again",
        "f.ini:6 [S] k: ignored, since line 7 gives the key again",
    ]


def test_places_are_as_exact_as_can_be() -> None:
    ini = parse_ini("[S]\nk=1", "f.ini")
    places = [ini.place("S", "k"), ini.place("S", "l"), ini.place("S"), ini.place("T", "k")]
    assert list(map(str, places)) == ["f.ini:2 [S] k", "f.ini:1 [S] l", "f.ini:1 [S]", "f.ini [T] k"]


def test_a_missing_required_key_is_an_error() -> None:
    section, findings = reader("k =")
    assert section.required("k") == ""
    assert told(findings) == (["f.ini:1: INI configuration section S does not contain the required property k"], [])


@pytest.mark.parametrize("text", ["true", "TRUE", "yes", "Yes", "1"])
def test_true_has_three_words_in_any_case(text: str) -> None:
    section, findings = reader(f"k = {text}")
    assert section.boolean("k", False)
    assert section.guard("k")
    assert told(findings) == ([], [])


@pytest.mark.parametrize("text", ["false", "No", "0"])
def test_false_has_three_words_in_any_case(text: str) -> None:
    section, findings = reader(f"k = {text}")
    assert not section.boolean("k", True)
    assert not section.guard("k")
    assert told(findings) == ([], [])


def test_a_missing_boolean_is_the_default() -> None:
    section, findings = reader("")
    assert section.boolean("k", True)
    assert not section.boolean("k", False)
    assert not section.guard("k")
    assert told(findings) == ([], [])


def test_a_bad_boolean_is_the_default_with_a_warning() -> None:
    section, findings = reader("k = on")
    assert section.boolean("k", True)
    assert told(findings) == ([], ["f.ini:2 [S] k: 'on' is neither true, yes, 1 nor false, no, 0; true is used"])


def test_a_bad_boolean_that_protects_is_an_error() -> None:
    section, findings = reader("k = on")
    section.guard("k")
    assert told(findings) == (["f.ini:2 [S] k: 'on' is neither true, yes, 1 nor false, no, 0"], [])


@pytest.mark.parametrize(("text", "value"), [("10", 10), ("+7", 7), ("1", 1), ("99", 99), ("007", 7)])
def test_integers_are_decimal_and_within_their_range(text: str, value: int) -> None:
    section, findings = reader(f"k = {text}")
    assert section.integer("k", 5, 1, 99) == section.strict_integer("k", 5, 1, 99) == value
    assert told(findings) == ([], [])


@pytest.mark.parametrize("text", ["0", "100", "-3", "1.5", "1_0", "0x10", "ten", "\u0663", "9" * 5000])
def test_a_bad_integer_is_the_default_with_a_warning(text: str) -> None:
    section, findings = reader(f"k = {text}")
    assert section.integer("k", 5, 1, 99) == 5
    assert told(findings) == ([], [f"f.ini:2 [S] k: {text!r} is no integer from 1 to 99; 5 is used"])


def test_a_bad_strict_integer_is_an_error() -> None:
    section, findings = reader("k = 100")
    assert section.strict_integer("k", 5, 1, 99) == 5
    assert told(findings) == (["f.ini:2 [S] k: '100' is no integer from 1 to 99"], [])


def test_a_missing_integer_is_the_default() -> None:
    section, findings = reader("")
    assert section.integer("k", 5) == section.strict_integer("k", 5) == 5
    assert told(findings) == ([], [])


def test_units_end_here() -> None:
    section, _ = reader("k = 90")
    assert section.seconds("k", 1) == timedelta(seconds=90)
    assert section.minutes("k", 1) == timedelta(minutes=90)


@pytest.mark.parametrize(
    ("text", "words"), [("", None), ("k =", ()), ("k = a", ("a",)), ("k = a   b a", ("a", "b", "a"))]
)
def test_a_missing_list_differs_from_an_empty_one(text: str, words: tuple[str, ...] | None) -> None:
    section, findings = reader(text)
    assert section.words("k") == words
    assert told(findings) == ([], [])


def test_a_tab_in_a_list_separates_with_a_warning() -> None:
    section, findings = reader("k = a\tb c")
    assert section.words("k") == ("a", "b", "c")
    assert told(findings) == ([], ["f.ini:2 [S] k: a tab separates words here, but not in the Java daemons"])


def test_keys_nobody_asked_for_are_warned_of() -> None:
    section, findings = reader("known = 1\ntypo = 2")
    section.string("known")
    section.warn_unknown()
    assert told(findings) == ([], ["f.ini:3 [S] typo: unknown key, ignored"])


@pytest.mark.parametrize("key", ["entityID", "entitiId", "ENTITYID", "entity_Id"])
def test_a_key_much_like_a_known_one_is_asked_about(key: str) -> None:
    section, findings = reader(f"{key} = x")
    section.string("entityId")
    section.string("hostname")
    section.warn_unknown()
    assert told(findings)[1] == [f"f.ini:2 [S] {key}: unknown key, ignored; is entityId meant?"]


def test_for_very_long_keys_nothing_similar_is_looked_for() -> None:
    section, findings = reader("k" * 100_000 + " = x")
    section.string("k" * 100_001)
    section.warn_unknown()
    assert told(findings)[1][0].endswith("unknown key, ignored")


@pytest.mark.parametrize(
    "url", ["https://a:8152/authz", "http://a", "https://[::1]:8152/authz", "HTTPS://argus.example.org/x?y"]
)
def test_urls_of_peers(url: str) -> None:
    section, findings = reader(f"k = {url}")
    assert section.urls("k") == (url,)
    assert told(findings) == ([], [])


@pytest.mark.parametrize(
    "url", ["a:8152", "ftp://a", "https://", "https://:8152", "http://a:x", "http://a:0", "http://[::1"]
)
def test_what_is_no_url_of_a_peer_is_an_error(url: str) -> None:
    section, findings = reader(f"k = http://good {url}")
    section.urls("k")
    assert told(findings)[0] == [f"f.ini:2 [S] k: {url!r} is no http or https URL"]
