import pytest

from argus_py.credentials import lsc
from argus_py.credentials.lsc import LscSyntaxError, parse_lsc
from argus_py.model.dn import DistinguishedName

SERVER, CA, SUB = "/DC=org/CN=voms.example.org", "/DC=org/CN=CA", "/DC=org/CN=Sub"


def dn(text: str) -> DistinguishedName:
    return DistinguishedName.parse_slash(text)


def test_names_alternate_between_subject_and_issuer() -> None:
    assert parse_lsc(f"# comment\n\n{SERVER}\r\n  {SUB}  \n{SUB}\n{CA}") == (
        ((dn(SERVER), dn(SUB)), (dn(SUB), dn(CA))),
    )


@pytest.mark.parametrize("line", ["------ NEXT CHAIN ------", "------NEXT CHAIN------", "- next chain -"])
def test_alternative_chains_are_separated_by_dashes_around_next_chain(line: str) -> None:
    one, other = parse_lsc(f"{line}\n{SERVER}\n{SUB}\n{line}\n{line}\n{SERVER}\n{CA}\n{line}")
    assert one == ((dn(SERVER), dn(SUB)),)
    assert other == ((dn(SERVER), dn(CA)),)


def test_other_lines_of_dashes_mean_nothing() -> None:
    assert parse_lsc(f"{SERVER}\n----\n{CA}") == (((dn(SERVER), dn(CA)),),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no name in it"),
        ("# nothing\nCN=x", "no name in it"),
        (SERVER, "a chain of 1 names"),
        (f"{SERVER}\n{CA}\n----NEXT CHAIN----\n{SERVER}", "a chain of 1 names"),
        (f"{SERVER}\n/nonsense", "line 2: not a distinguished name"),
        ("x" * (lsc.MAX_FILE_LENGTH + 1), "characters"),
    ],
)
def test_damaged_files_are_refused(text: str, reason: str) -> None:
    with pytest.raises(LscSyntaxError, match=reason):
        parse_lsc(text)


def test_names_match_without_regard_to_the_case_of_dc_and_e_mail() -> None:
    (chain,) = parse_lsc(f"/DC=ORG/CN=VOMS.example.org/emailAddress=A@x.org\n{CA}")
    assert lsc.matches(chain, [(dn(f"{SERVER}/E=a@X.ORG"), dn(CA))])


def test_every_certificate_must_match_and_none_may_be_missing() -> None:
    (chain,) = parse_lsc("\n".join([SERVER, SUB, SUB, CA]))
    assert lsc.matches(chain, [(dn(SERVER), dn(SUB)), (dn(SUB), dn(CA))])
    for shown in (
        [(dn(SERVER), dn(SUB))],
        [(dn(SERVER), dn(SUB)), (dn(SUB), dn("/CN=Other"))],
        [(dn(SERVER), dn(SUB)), (dn(SUB), dn(CA)), (dn(CA), dn(CA))],
        [],
    ):
        assert not lsc.matches(chain, shown)
