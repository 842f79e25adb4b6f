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
TEXTS = st.text(max_size=80) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


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
    else:
        assert all(result.targets_of_dn.values())
        assert all(entry.targets for entry in result.fqan_entries)
