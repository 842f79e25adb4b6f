"""Policies from map files: the script of old octet by octet, and the own converter."""

import time
from pathlib import Path

import pytest

from argus_py.spl.errors import SplError
from argus_py.spl.group_map import (
    GroupMapError,
    NobodyPermitted,
    PolicyFrame,
    UnquotableText,
    classic,
    derive,
)
from argus_py.spl.parser import parse

VECTORS = Path(__file__).parents[2] / "vectors" / "groupmap"
FRAME = PolicyFrame()


def rules(text: str) -> list[str]:
    """What stands between the braces of the action."""
    derived = derive(text, "groupmapfile", FRAME)
    return [line.strip() for line in derived.text.splitlines()[3:-2]]


def classic_rules(text: str) -> str:
    return classic(text, "groupmapfile").text.split("{\n\n", 1)[1].removesuffix("    }\n}\n\n")


@pytest.mark.parametrize("sample", sorted(VECTORS.glob("*.groupmap")), ids=lambda path: path.name)
def test_the_classic_form_is_that_of_the_script(sample: Path) -> None:
    expected = sample.with_suffix(".classic.spl").read_bytes()
    assert classic(sample.read_text(), sample.name).text.encode() == expected


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ('"/dteam/sub" dteam   # note\n', '     rule permit {pfqan = "/dteam/sub" }\n'),
        ('  "/vo.example.org/*" vo\n', '       rule permit {fqan = "/vo.example.org" }\n'),
        ('"/dteam/sub/*" dteam\n', ""),
        ('"/dteam/*/Role=production" x\n', ""),
        ('"/dteam*" x\n', ""),
        ('"/dteam/Role=*" x\n', ""),
        ('"*" nobody\n', ""),
        ('"/y/*" a/b\n', ""),
        (
            '"/vo/Role=pilot/Capability=NULL" p\n',
            '     rule permit {pfqan = "/vo/Role=pilot/Capability=NULL" }\n',
        ),
        ('"/vo/Role=lcgadmin" vosgm,vo\n', '     rule permit {pfqan = "/vo/Role=lcgadmin" }\n'),
        ('# "/dteam" dteam\n', '#      rule permit {pfqan = "/dteam" }\n'),
        ("/dteam/unquoted dteam\n", "/dteam/unquoted dteam\n"),
        ('"/dteam" dteam', '     rule permit {pfqan = "/dteam" }'),
    ],
)
def test_the_classic_form_changes_single_lines_as_the_script_does(line: str, printed: str) -> None:
    assert classic_rules(line) == printed


def test_the_classic_form_warns_of_a_dn_that_becomes_an_fqan() -> None:
    derived = classic('"/dteam" dteam\n# "/CN=X" x\n"/DC=org/CN=Alice Adams" dteam\n', "groupmapfile")
    assert [problem.line for problem in derived.problems] == [3]


def test_the_own_form_of_the_sample_with_lines_of_every_kind() -> None:
    text = """\
"/dteam/sub/*" dteam
"/dteam/sub" dteam
"/DC=org/DC=argus-test/CN=Alice Adams" dteam
"/vo.example.org/*" vo
"/dteam" dteam
"/dteam" dteam
"""
    assert derive(text, "groupmapfile", FRAME).text == (
        """\
resource "http://authz-interop.org/xacml/resource/resource-type/wn" {
    obligation "http://glite.org/xacml/obligation/local-environment-map" {}
    action "http://glite.org/xacml/action/execute" {
        rule permit { fqan = "/dteam/sub" }
        rule permit { pfqan = "/dteam/sub" }
        rule permit { subject = "/DC=org/DC=argus-test/CN=Alice Adams" }
        rule permit { fqan = "/vo.example.org" }
        rule permit { pfqan = "/dteam" }
    }
}
"""
    )


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('"/vo/Role=NULL/Capability=NULL" x', 'rule permit { pfqan = "/vo" }'),
        ('"/vo/ROLE=pilot" x', 'rule permit { pfqan = "/vo/Role=pilot" }'),
        ('"/vo/Role=pilot/Capability=x" x', 'rule permit { pfqan = "/vo/Role=pilot" }'),
        ('"/vo/Role=pilot/*" x', 'rule permit { pfqan = "/vo/Role=pilot" }'),
        ('"/vo/Role=pilot/Capability=*" x', 'rule permit { pfqan = "/vo/Role=pilot" }'),
        ('"/vo/*" x', 'rule permit { fqan = "/vo" }'),
        ('"/vo/a/*/Role=*" x', 'rule permit { fqan = "/vo/a" }'),
        ("/vo/Role=pilot pilots # unquoted", 'rule permit { pfqan = "/vo/Role=pilot" }'),
        ("/vo", 'rule permit { pfqan = "/vo" }'),
        ('"CN=Jo,DC=org" x', 'rule permit { subject = "CN=Jo,DC=org" }'),
        (r'"/DC=org/CN=Jos\xC3\xA9" x', 'rule permit { subject = "CN=José,DC=org" }'),
        ('"/DC=org/CN=O\'Neil" x', 'rule permit { subject = "/DC=org/CN=O\'Neil" }'),
        (r'"/DC=org/CN=the \"boss\"" x', "rule permit { subject = '/DC=org/CN=the \"boss\"' }"),
    ],
)
def test_a_key_becomes_the_rule_that_means_the_same(line: str, rule: str) -> None:
    assert rules(line) == [rule]


@pytest.mark.parametrize(
    "line",
    [
        '"/vo/*/Role=x" x',
        '"/vo/Role=*" x',
        '"*" x',
        '"/*" x',
        '"/vo*" x',
        '"/vo/Role=a/Role=b" x',
        '"/DC=org/CN=*" x',
        '"nobody" x',
        '"/vo',
        '"" x',
        "/DC=org/CN=Alice Adams dteam",
        '"/vo/\udce9" x',
        '"/vo/\x01" x',
        f'"/vo{"/a" * 5000}/*" x',
    ],
)
def test_a_line_that_no_rule_can_say_is_told_with_its_number(line: str) -> None:
    with pytest.raises(GroupMapError) as refusal:
        derive(f'"/other" x\n\n{line}\n', "groupmapfile", FRAME)
    assert [(problem.file, problem.line) for problem in refusal.value.problems] == [("groupmapfile", 3)]


def test_all_lines_that_no_rule_can_say_are_told_in_one_pass() -> None:
    with pytest.raises(GroupMapError) as refusal:
        derive('"/vo*" x\n"/vo" x\n"/vo\n"*" x\n', "groupmapfile", FRAME)
    assert [problem.line for problem in refusal.value.problems] == [1, 3, 4]


def test_unsupported_lines_that_are_skipped_become_comments_and_warnings() -> None:
    derived = derive('"/vo/Role=#*" x\n"/vo" x\n', "groupmapfile", FRAME, skip_unsupported=True)
    assert '        # not permitted: line 1, /vo/Role=?*\n        rule permit { pfqan = "/vo" }\n' in derived.text
    assert [problem.line for problem in derived.problems] == [1]


def test_a_line_that_cannot_be_read_is_never_skipped() -> None:
    with pytest.raises(GroupMapError):
        derive('"/vo" x\n"/vo/a\n', "groupmapfile", FRAME, skip_unsupported=True)


@pytest.mark.parametrize("line", ['"/vo/*/Role=x" x', '"/vo/Role=*" x', '"/vo/a*" x', '"/vo/a/b/Role=*" x'])
def test_nothing_is_said_of_a_line_that_the_whole_group_covers(line: str) -> None:
    assert rules(f'{line}\n"/vo/*" x\n') == ['rule permit { fqan = "/vo" }']


def test_another_vo_with_the_same_beginning_is_not_covered() -> None:
    with pytest.raises(GroupMapError):
        rules('"/vo/*" x\n"/vo*" x\n')


def test_the_banned_are_denied_first() -> None:
    bans = ["/DC=org/CN=Jo", "/vo/Role=x", "/DC=org/CN=Jo"]
    text = derive('"/vo" x\n', "groupmapfile", FRAME, bans=bans).text
    assert text.splitlines()[3:6] == [
        '        rule deny { subject = "/DC=org/CN=Jo" }',
        '        rule deny { fqan = "/vo/Role=x" }',
        '        rule permit { pfqan = "/vo" }',
    ]


@pytest.mark.parametrize("ban", ["/DC=org/CN=*", "/vo/*", "/vo/Role=?", "somebody", "/DC=org/CN=[ab]", "/vo/\x01"])
def test_a_ban_that_no_rule_can_say_is_never_left_out(ban: str) -> None:
    with pytest.raises(GroupMapError):
        derive('"/vo" x\n', "groupmapfile", FRAME, bans=[ban], skip_unsupported=True)


@pytest.mark.parametrize("text", ["", "# nothing\n\n", '"/vo*" x\n'])
def test_no_policy_is_made_that_permits_nobody(text: str) -> None:
    with pytest.raises(NobodyPermitted):
        derive(text, "groupmapfile", FRAME, skip_unsupported=True)


def test_the_frame_can_be_another_one() -> None:
    frame = PolicyFrame("https://ce.example.org:8443/cream", ".*", "http://example.org/map")
    (resource,) = parse(derive('"/vo" x\n', "groupmapfile", frame).text)
    assert resource.value.text == frame.resource


@pytest.mark.parametrize("frame", [PolicyFrame(resource="(")])
def test_a_frame_that_is_no_policy_is_refused(frame: PolicyFrame) -> None:
    with pytest.raises(SplError):
        derive('"/vo" x\n', "groupmapfile", frame)


def test_a_frame_that_no_quotes_fit_around_is_refused() -> None:
    with pytest.raises(UnquotableText):
        derive('"/vo" x\n', "groupmapfile", PolicyFrame(action="a\nb"))


def test_many_lines_that_no_rule_can_say_are_told_in_reasonable_time() -> None:
    lines = "".join(f'"/vo{number}*" x\n' for number in range(20_000))
    began = time.monotonic()
    derived = derive(f'"/dteam" x\n{lines}', "groupmapfile", FRAME, skip_unsupported=True)
    assert time.monotonic() - began < 10  # it was minutes when each was compared with all others
    assert len(derived.problems) == 20_000
