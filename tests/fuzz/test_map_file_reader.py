"""Any text gives a map file or a MapFileError with a line of the text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.pep.mapping.map_file import MapFile, MapFileError, parse_map_file

PIECES = [
    '"',
    "/vo",
    "/CN=a",
    "\\",
    "\\u",
    "D83D",
    "\\x2f",
    "\n",
    "\r",
    " ",
    ",",
    ".pool",
    "#",
    "*",
    "/Role=",
    "C=CH",
    "é",
]
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    st.binary(max_size=80).map(lambda octets: octets.decode("utf-8", "surrogateescape")),
)


def outcome(text: str) -> MapFile | MapFileError:
    try:
        return parse_map_file(text, "map")
    except MapFileError as error:
        return error


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_reader_gives_a_map_file_or_an_error_with_the_line(text: str) -> None:
    result = outcome(text)
    if isinstance(result, MapFileError):
        assert 1 <= result.line <= 1 + text.count("\n") + text.count("\r")
        assert str(result).encode()
    else:
        assert all(entry.targets for entry in result.entries)
        lines = [entry.line for entry in result.entries]
        assert lines == sorted(set(lines))
