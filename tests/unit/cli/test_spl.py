"""``argus spl``, by its exit codes, what it prints and what it does to files."""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from argus_py.cli.argus import main
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.parser import parse
from argus_py.xacml.policy_xml import read_policy_set, write_policy_set

VECTORS = Path(__file__).parents[2] / "vectors" / "spl"
EXAMPLES = Path(__file__).parents[3] / "policies"
TEXT = 'resource "wn" {\n    action "run" {\n        rule permit { vo="dteam" }\n    }\n}\n'
UNTIDY = TEXT.replace("    ", "")

Run = Callable[..., tuple[int, str, str]]
Write = Callable[[str, str], str]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Gives exit code, standard output and standard error of ``argus spl`` with these arguments."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["spl", *arguments])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Makes a file and gives its path."""

    def write(name: str, text: str) -> str:
        (tmp_path / name).write_bytes(text.encode())
        return str(tmp_path / name)

    return write


def numbered(xml: str) -> str:
    """Each UUID replaced by a number, in order of appearance, as in the recorded documents."""
    numbers: dict[str, str] = {}
    return re.sub(
        r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
        lambda id: numbers.setdefault(id[0], f"00000000-0000-4000-8000-{len(numbers):012d}"),
        xml,
    )


def comparable(xml: str) -> str:
    """COMPAT: the recorded PAP stores files with a hyphen in the ids of actions, and so makes private ones public."""
    written = write_policy_set(read_policy_set(xml.encode())).decode()
    written = re.sub(
        r'function:string-equal(?="><xacml:AttributeValue DataType="[^"]*x500Name)', "function:x500Name-equal", written
    )
    return re.sub(r'PolicyId="(public|private)[-_]', r'PolicyId="\1_', written)


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.spl")), ids=lambda path: path.stem)
def test_a_policy_file_becomes_what_a_pdp_gets_of_the_java_pap(path: Path, run: Run) -> None:
    rest = ["--ignore-rest"] if path.name.startswith("028") else []
    code, out, _ = run("to-xacml", str(path), *rest)
    assert code == 0
    assert comparable(numbered(out)) == comparable(path.with_suffix(".xacml.xml").read_text())


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((VECTORS / "invalid").glob("*.spl"))
        if path.name[:3] not in ("i20", "i21", "i27", "i28")  # fine as files
    ],
    ids=lambda path: path.stem,
)
def test_an_invalid_file_is_refused_with_the_places(path: Path, run: Run) -> None:
    code, out, err = run("to-xacml", str(path))
    assert (code, out) == (1, "")
    assert all(re.match(rf"{re.escape(str(path))}:\d+:\d+: \S", line) for line in err.splitlines())
    assert err


def test_the_same_text_becomes_the_same_document(run: Run, write: Write) -> None:
    first, same, other = (
        run("to-xacml", write(name, text))[1] for name, text in (("a", TEXT), ("b", TEXT), ("c", UNTIDY))
    )
    assert first == same
    assert first != other
    assert numbered(first) == numbered(other)
    assert first.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<xacml:PolicySet ')


def test_strict_refuses_what_else_is_a_warning(run: Run, write: Write) -> None:
    file = write("f.spl", TEXT.replace('vo="dteam"', 'fqan="dteam"'))
    problem = "not an FQAN: 'dteam': an FQAN starts with '/'"
    code, out, err = run("to-xacml", file)
    assert (code, err) == (0, f"{file}:3:28: warning: {problem}\n")
    assert ">dteam</" in out
    assert run("to-xacml", "--strict", file) == (1, "", f"{file}:3:28: {problem}\n")


def test_warnings_come_in_the_order_of_the_text(run: Run, write: Write) -> None:
    text = 'action "(" { rule deny { vo="x" } }\n# a # action "b" { rule deny { fqan="y" } } # c\n}'
    _, _, err = run("to-xacml", "--ignore-rest", write("f", text))
    assert [line.split(":")[1:3] for line in err.splitlines()] == [["1", "8"], ["2", "7"], ["2", "37"], ["3", "1"]]


def test_all_problems_are_told(run: Run, write: Write) -> None:
    file = write("f.spl", 'action "a" {\n    rule deni { vo="x" }\n    rule deny { vo "x" }\n}\n')
    assert run("to-xacml", file) == (
        1,
        "",
        f'{file}:2:10: Encountered "deni" at line 2, column 10. Was expecting "permit" or "deny".\n'
        f'{file}:3:20: Encountered "\\"x\\"" at line 3, column 20. Was expecting "=".\n',
    )


def test_what_is_not_utf_8_has_a_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b'action "a" {\n\t"\xc3\xa9\xe9')
    assert run("to-xacml", str(tmp_path / "f")) == (1, "", f"{tmp_path}/f:2:11: this is not UTF-8\n")


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    code, _, err = run("to-xacml", str(tmp_path / "none"))
    assert code == 1
    assert str(tmp_path / "none") in err


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.spl")), ids=lambda path: path.name)
def test_the_way_there_and_back_says_the_same(path: Path, run: Run, write: Write) -> None:
    _, xml, _ = run("to-xacml", "--strict", str(path))
    code, text, err = run("from-xacml", write("f.xml", xml))
    assert (code, err) == (0, "")
    parse(text)
    _, again, _ = run("to-xacml", "--strict", write("f.spl", text))
    assert numbered(again) == numbered(xml)


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(VECTORS.glob("*.xacml.xml")) if not path.name.startswith("015")],
    ids=lambda path: path.name[:3],
)
def test_what_the_java_pap_hands_out_can_be_told_and_becomes_the_same(path: Path, run: Run, write: Write) -> None:
    code, text, err = run("from-xacml", str(path))
    assert (code, err) == (0, "")
    _, again, _ = run("to-xacml", write("f.spl", text))
    recorded = path.read_text().replace('"private-', '"public-')  # COMPAT: with a hyphen it is public
    assert comparable(numbered(again)) == comparable(recorded)


def test_a_name_that_java_has_misread_cannot_be_told(run: Run) -> None:
    code, out, err = run("from-xacml", str(VECTORS / "015-dn-with-commas-and-spaces.xacml.xml"))
    assert (code, out) == (1, "")
    assert "no quotes fit around 'CN=x,O=Acme\\\\, Inc + Co,C=XX'" in err


def test_a_name_with_a_comma_is_told_in_slash_form(run: Run, write: Write) -> None:
    text = TEXT.replace('vo="dteam"', 'subject="/C=XX/O=Acme, Inc/CN=x"')
    _, xml, _ = run("to-xacml", "--strict", write("f.spl", text))
    assert ">CN=x,O=Acme\\, Inc,C=XX</" in xml
    assert run("from-xacml", write("f.xml", xml)) == (0, text, "")


def test_one_action_is_a_policy_file_too(run: Run, write: Write) -> None:
    _, xml, _ = run("to-xacml", write("f.spl", 'private action "a" { rule deny { vo="x" } }'))
    policy = re.search(r"<xacml:Policy .*</xacml:Policy>", xml, re.DOTALL)
    assert policy
    document = policy[0].replace(" ", ' xmlns:xacml="urn:oasis:names:tc:xacml:2.0:policy:schema:os" ', 1)
    code, text, _ = run("from-xacml", write("f.xml", document))
    assert (code, text) == (0, 'private action "a" {\n    rule deny { vo="x" }\n}\n')


def test_each_element_that_the_language_has_no_words_for_is_named(run: Run, write: Write) -> None:
    _, xml, _ = run("to-xacml", write("f.spl", TEXT + TEXT + TEXT))
    first, second, third = re.findall(r'RuleId="([^"]*)"', xml)
    xml = xml.replace(f'RuleId="{first}">', f'RuleId="{first}"><xacml:Description>why</xacml:Description>')
    xml = xml.replace(f'RuleId="{third}">', f'RuleId="{third}"><xacml:Description>why</xacml:Description>')
    file = write("f.xml", xml)
    assert second
    assert run("from-xacml", file) == (
        1,
        "",
        f"{file}: Rule {first} cannot be told in the policy language: it has a description\n"
        f"{file}: Rule {third} cannot be told in the policy language: it has a description\n",
    )


def test_a_value_that_fits_between_no_quotes_is_refused_with_the_rule(run: Run, write: Write) -> None:
    _, xml, _ = run("to-xacml", write("f.spl", TEXT))
    [id] = re.findall(r'RuleId="([^"]*)"', xml)
    file = write("f.xml", xml.replace(">dteam<", ">d\\team\\.<"))
    assert run("from-xacml", file) == (
        1,
        "",
        f"{file}: rule {id} cannot be written in the policy language: no quotes fit around 'd\\\\team\\\\.'\n",
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("<a/>", "not a policy: line 1"),
        ("", "Premature end of file"),
        (
            '<PolicySet xmlns="urn:oasis:names:tc:xacml:2.0:policy:schema:os" PolicySetId="p" PolicyCombiningAlgId='
            '"urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:first-applicable"><Target/></PolicySet>',
            "there is no policy in it",
        ),
    ],
)
def test_a_document_without_policies_is_refused(document: str, message: str, run: Run, write: Write) -> None:
    file = write("f.xml", document)
    code, out, err = run("from-xacml", file)
    assert (code, out) == (1, "")
    assert err.startswith(f"{file}: ")
    assert message in err


def test_the_names_of_attributes_are_those_of_the_site(run: Run, write: Write) -> None:
    lines = []
    for mapping in (DEFAULT_MAPPINGS.resource, DEFAULT_MAPPINGS.action, DEFAULT_MAPPINGS.named("vo")):
        assert mapping
        name = "organisation" if mapping.name == "vo" else mapping.name
        lines += [
            f"id = {name}",
            f"{name}.xacml-id = {mapping.attribute_id}",
            f"{name}.xacml-datatype = {mapping.datatype}",
            f"{name}.xacml-target-element = {mapping.category.value}",
            f"{name}.xacml-match-function = {mapping.function}",
        ]
    site = write("attribute-mappings.ini", "\n".join(lines))
    text = TEXT.replace("vo=", "organisation=")
    code, xml, _ = run("to-xacml", "--attribute-mappings", site, write("f.spl", text))
    assert code == 0
    assert run("from-xacml", "--attribute-mappings", site, write("f.xml", xml)) == (0, text, "")
    assert run("to-xacml", "--attribute-mappings", site, write("f.spl", TEXT))[0] == 1

    broken = write("attribute-mappings.ini", "\n".join(lines[1:]))
    code, _, err = run("to-xacml", "--attribute-mappings", broken, write("f.spl", text))
    assert (code, err) == (1, f'argus: {broken}: Cannot find id "resource"\n')


def test_format_prints_and_leaves_the_file(run: Run, write: Write, tmp_path: Path) -> None:
    file = write("f.spl", UNTIDY)
    assert run("format", file) == (0, TEXT, "")
    assert (tmp_path / "f.spl").read_text() == UNTIDY


def test_check_names_the_files_that_are_not_formatted(run: Run, write: Write) -> None:
    tidy, untidy, broken = write("t", TEXT), write("u", UNTIDY), write("b", "}")
    assert run("format", "--check", tidy) == (0, "", "")
    code, out, err = run("format", "--check", tidy, untidy, broken)
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == f"{untidy}: not formatted"
    assert err.splitlines()[1].startswith(f"{broken}:1:1: Encountered")


def test_in_place_changes_files_that_need_it_and_keeps_their_mode(run: Run, write: Write, tmp_path: Path) -> None:
    tidy, untidy, broken = (Path(write(name, text)) for name, text in (("t", TEXT), ("u", UNTIDY), ("b", "}")))
    untidy.chmod(0o640)
    (tmp_path / "link").symlink_to(untidy)
    before = tidy.stat()
    code, out, _ = run("format", "--in-place", str(tidy), str(tmp_path / "link"), str(broken))
    assert (code, out) == (1, "")
    assert untidy.read_text() == TEXT
    assert untidy.stat().st_mode & 0o777 == 0o640
    assert tidy.stat() == before
    assert broken.read_text() == "}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "link", "t", "u"]


@pytest.mark.parametrize(
    ("arguments", "given", "expected"),
    [
        (["format", "-"], UNTIDY, (0, TEXT, "")),
        (["format", "--in-place", "-"], UNTIDY, (0, TEXT, "")),
        (["format", "--check", "-"], UNTIDY, (1, "", "<stdin>: not formatted\n")),
        (["to-xacml", "-"], "\n}", (1, "", '<stdin>:2:1: Encountered "}" at line 2, column 1. Was expecting')),
        (["from-xacml", "-"], "x", (1, "", "<stdin>: not a policy: line 1: Content is not allowed in prolog.\n")),
    ],
)
def test_a_hyphen_is_standard_input(
    arguments: list[str], given: str, expected: tuple[int, str, str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
    code, out, err = run(*arguments)
    assert (code, out) == expected[:2]
    assert err.startswith(expected[2])
    assert bool(err) is bool(expected[2])


@pytest.mark.parametrize(
    "arguments",
    [[], ["to-xacml"], ["to-xacml", "--strict", "--ignore-rest", "f"], ["format", "--check", "--in-place", "f"]],
)
def test_wrong_usage_has_its_own_exit_code(arguments: list[str], run: Run) -> None:
    with pytest.raises(SystemExit) as exit:
        run(*arguments)
    assert exit.value.code == 2
