from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.config.commons_ini import parse_commons_ini
from argus_py.config.ini import BadConfiguration, IniFile, parse_ini
from argus_py.config.java_names import HANDLER_KINDS, PIP_KINDS
from argus_py.config.pdp import examine_pdp
from argus_py.config.pepd import examine_pepd

PIECES = st.sampled_from(
    [
        "[",
        "]",
        "[A]",
        "\n",
        "\r\n",
        "=",
        ":",
        "#",
        ";",
        "\\",
        "\\u0041",
        "\\u",
        "'",
        '"',
        ",",
        "${A.k}",
        "${",
        "k",
        " ",
        "\t",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map("".join))


def is_plain(ini: IniFile) -> bool:
    """Entries have places, and their texts can be written anywhere: no half characters."""
    return all(
        entry.line >= section.line and f"{section.name}{key}{entry.value}".encode() is not None
        for section in ini.sections.values()
        for key, entry in section.entries.items()
    )


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_a_file_of_the_daemons_or_a_typed_refusal(text: str) -> None:
    with suppress(BadConfiguration):
        assert is_plain(parse_ini(text, "f.ini"))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_a_file_of_the_pap_or_a_typed_refusal(text: str) -> None:
    with suppress(BadConfiguration):
        assert is_plain(parse_commons_ini(text, "f.ini"))


KEYS = [
    *("pips", "obligationHandlers", "parserClass", "pdps", "paps", "port", "hostname", "enableSSL", "trustInfoDir"),
    *("enabledProtocols", "servicePrivateKey", "serviceCertificate", "vomsInfoDir", "accountMapFile", "groupMapFile"),
    *("gridMapDir", "staticAttributesFile", "subjectAttributes", "trustAnchors.refreshIntervalInSecs"),
]
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n\\"), max_size=20),
    st.sampled_from([*PIP_KINDS, *HANDLER_KINDS, "SERVICE X Y", "true", "99999999999999999999", "https://a https://b"]),
)
LINES = st.one_of(
    st.sampled_from(["[SERVICE]", "[SECURITY]", "[PDP]", "[POLICY]", "[X]", "[Y]"]),
    st.builds("{} = {}".format, st.sampled_from(KEYS), VALUES),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=30).map(lambda lines: "\n".join(["[SERVICE]", *lines])))
def test_any_file_has_settings_and_a_place_for_all_that_is_wrong(text: str) -> None:
    ini = parse_ini(text, "f.ini")
    for examine in (examine_pepd, examine_pdp):
        settings, errors = examine(ini)
        assert all(problem.place.file == "f.ini" for problem in (*errors, *settings.warnings))


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50))
def test_an_escaped_value_reads_back(value: str) -> None:
    units = value.encode("utf-16-be")
    escaped = "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
    blank = "".join(map(chr, range(0x21)))
    assert parse_ini(f"[A]\nk={escaped}", "f.ini").sections["A"].entries["k"].value == value.strip(blank)
