import pytest

from argus_py.credentials import igtf
from argus_py.credentials.ca_policies import CaPolicies, InfoFile, parse_info_file
from argus_py.credentials.igtf import IgtfSyntaxError
from argus_py.model.dn import DistinguishedName


def cas(*slash: str) -> frozenset[DistinguishedName]:
    return frozenset(map(DistinguishedName.parse_slash, slash))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"/CN=a"', InfoFile(cas("/CN=a"))),
        ('"/CN=a", "/CN=b"', InfoFile(cas("/CN=a", "/CN=b"))),
        ('"/CN=a", \\\n   , \\\n "/C=NL%2FCN=Test CA"', InfoFile(cas("/CN=a", "/C=NL/CN=Test CA"))),
        ('"/O=a, Inc./CN=%C3%A9+%zz"', InfoFile(cas("/O=a, Inc./CN=\u00e9+%zz"))),
        ('"/CN=a", #"/CN=b", nonsense', InfoFile(cas("/CN=a"))),
        ('"/CN=a#b"#', InfoFile(cas("/CN=a#b"))),
        ('"/CN=a",', InfoFile(cas("/CN=a"))),
        ('"", "no name", "/CN=a"', InfoFile(cas("/CN=a"))),
        (
            'file:b.info, "/CN=a",file:/etc/c.info\t, file:../d/e.info',
            InfoFile(cas("/CN=a"), ("b.info", "/etc/c.info", "../d/e.info")),
        ),
    ],
)
def test_names_and_references_are_read(value: str, expected: InfoFile) -> None:
    assert parse_info_file(f"# CA\nalias = x\nsubjectdn = {value}\n") == expected


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("alias = x", 0, "No or empty subjectdn key found"),
        ("\nsubjectdn =", 2, "No or empty subjectdn key found"),
        ('subjectdn = "/CN=a" "/CN=b"', 1, "a comma is missing before '\"/CN=b\"'"),
        ('subjectdn == "/CN=a"', 1, "neither a name in quotes nor a reference to a file: '= \"/CN=a\"'"),
        ('subjectdn = "/CN=a", "/CN=b', 1, "neither a name in quotes nor a reference to a file: '\"/CN=b'"),
        ("subjectdn = file:", 1, "neither a name in quotes nor a reference to a file: 'file:'"),
        ("subjectdn = file:a\\u0000b", 1, "a comma is missing before '\\x00b'"),
        ("subjectdn = \\u00", 1, "four hexadecimal digits"),
        (" " * (igtf.MAX_FILE_LENGTH + 1), 0, "characters; 262144 are allowed"),
    ],
)
def test_a_damaged_file_is_refused(text: str, line: int, reason: str) -> None:
    with pytest.raises(IgtfSyntaxError) as refusal:
        parse_info_file(text)
    assert refusal.value.line == line
    assert reason in str(refusal.value)


def test_a_ca_has_the_names_of_the_files_that_name_it() -> None:
    policies = CaPolicies({"b": cas("/CN=x", "/CN=y"), "a": cas("/CN=x"), "c": frozenset()})
    assert policies.naming(DistinguishedName.parse_slash("/cn=X")) == ("b", "a")
    assert policies.naming(DistinguishedName.parse_slash("/CN=z")) == ()
    assert policies.contents() == "3 files that name CAs"
