"""The command line dialect."""

import pytest

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError, first_word, parse

OPTIONS = (
    Option(("-v", "--verbose"), ""),
    Option(("-sai", "--show-all-ids"), ""),
    Option(("-r", "--resource"), "", "value"),
    Option(("--pap",), "", "alias", several=True),
)


@pytest.mark.parametrize(
    ("line", "words", "options"),
    [
        ("", (), {}),
        ("ban vo x", ("ban", "vo", "x"), {}),
        ("-v ban vo -r http://ce x", ("ban", "vo", "x"), {"verbose": (), "resource": ("http://ce",)}),
        ("ban vo x --resource=a=b", ("ban", "vo", "x"), {"resource": ("a=b",)}),
        ("ban -r -odd vo x", ("ban", "vo", "x"), {"resource": ("-odd",)}),
        ("lp -sai --pap a b -v", ("lp",), {"show-all-ids": (), "pap": ("a", "b"), "verbose": ()}),
        ("lp --pap a --pap b", ("lp",), {"pap": ("a", "b")}),
        ("ban -r a -r b vo x", ("ban", "vo", "x"), {"resource": ("a", "b")}),
        ("ban -- -v --resource", ("ban", "-v", "--resource"), {}),
        ("rp -", ("rp", "-"), {}),
    ],
)
def test_options_stand_anywhere(line: str, words: tuple[str, ...], options: dict[str, tuple[str, ...]]) -> None:
    assert parse(line.split(), OPTIONS) == Arguments(words, options)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("lp --nosuch", "Unrecognized option: --nosuch"),
        ("lp -s", "Unrecognized option: -s"),
        ("lp -sai=x", "Unrecognized option: -sai=x"),
        ("ban -r", "Missing argument for option:r"),
        ("ban --pap -v", "Missing argument for option:pap"),
        ("ban --resource= vo x", "Missing argument for option:r"),
    ],
)
def test_what_is_no_option_is_named(line: str, error: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(line.split(), OPTIONS)
    assert str(caught.value) == error


@pytest.mark.parametrize("argv", [["un-ban", "-r", "", "vo", "x"], ["rap", "--pap", ""], ["lp", "--pap", "a", ""]])
def test_an_empty_value_does_not_stand_for_the_default(argv: list[str]) -> None:
    with pytest.raises(ParseError, match="Missing argument for option:"):
        parse(argv, OPTIONS)


def test_the_last_value_of_an_option_counts() -> None:
    arguments = parse(["-r", "a", "-r", "b"], OPTIONS)
    assert arguments.get("resource") == "b"
    assert arguments.get("pap") is None
    assert arguments.all("pap") == ()


@pytest.mark.parametrize(
    ("line", "word"),
    [("-v lp", "lp"), ("-r lp ban", "ban"), ("--resource=lp ban", "ban"), ("--nosuch lp", "lp"), ("-v -r", None)],
)
def test_the_command_is_the_first_word(line: str, word: str | None) -> None:
    assert first_word(line.split(), OPTIONS) == word
