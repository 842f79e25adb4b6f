"""Command sequences recorded with the Java client and daemon, replayed: same outputs, exit codes and policies.

Where this pap-admin is better on purpose, or says less, the difference is written down here with its reason.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from argus_py import __version__
from argus_py.xacml.policy import Policy, PolicySet


class Outcome(Protocol):
    exit_code: int
    stdout: str
    stderr: str


class PapAdmin(Protocol):
    speaks: str

    def __call__(self, *argv: str) -> Outcome: ...

    def root(self) -> PolicySet: ...


@dataclass(frozen=True)
class Different:
    """``steps``: exit code, stdout, stderr by number. ``listing``: of ``lp`` in the end. ``versions``: not compared.

    ``over``: only where this is spoken.
    """

    reason: str
    steps: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    listing: str | None = None
    versions: bool = False
    over: tuple[str, ...] = ("rest", "soap")


NOTHING_SAID = (0, "", "")
R1 = """
default (local):

resource "r1" {{{obligation}

    action "a1" {{{new}
        rule permit {{ vo="v1" }}
        rule permit {{ vo="v2" }}
        rule deny {{ vo="v3" }}
    }}

    action "a2" {{
        rule permit {{ vo="v4" }}
    }}{after}
}}
"""
NEW_ACTION = """

    action "a9" {
        rule permit { vo="x" }
    }"""
NEW_RESOURCE = """
resource "r9" {

    action "a9" {
        rule permit { vo="x" }
    }
}
"""
OBLIGATION = """
    obligation "http://glite.org/xacml/obligation/local-environment-map" {
    }"""
TWO_OBLIGATIONS = """
default (local):

resource "r1" {
    obligation "http://example.org/o1" {
        vo="x"
    }

    action "a1" {
        obligation "http://example.org/o2" {
        }
        obligation "http://glite.org/xacml/obligation/local-environment-map" {
        }
        rule permit { vo="x" }
        rule permit { vo="v1" }
    }
}
"""
PRIVATE_ACTION = """
default (local):

resource "r1" {

    action "a1" {
        rule permit { vo="v1" }
        rule permit { vo="v2" }
        rule deny { vo="v3" }
    }

    private
    action "na" {
        rule permit { vo="n1" }
    }

    action "na" {
        rule permit { vo="n1" }
    }

    action "a2" {
        rule permit { vo="v4" }
    }

    action "na" {
        rule permit { vo="n1" }
    }

    action "nb" {
        rule deny { vo="n2" }
    }
}
"""
DENI = 'Encountered "deni" at line 3, column 14. Was expecting "permit" or "deny".\n'
NOT_ADDED = "Syntax error no policies has been added from file:{FILE:%s}\nReason:\n"

MULTI_ATTRIBUTE_DENY: Final = """
default (local):

resource ".*" {

    action ".*" {
        rule deny {\x20
            vo="x"\x20
            fqan="/x/y"\x20
        }
    }
}
"""

URL = "https://localhost:8150/pap/services/"
PAPS = """alias=default
    isLocal=true
    visibility=public
    enabled=true
    endpoint=https://localhost:8150/pap/services/

alias=central
    isLocal=false
    visibility=private
    enabled=false
    dn=/DC=org/DC=example/CN=central.example.org
    endpoint=https://central.example.org:8150/pap/services/

alias=other
    isLocal=false
    visibility=public
    enabled=false
    dn=/DC=org/DC=example/CN=other.example.org
    endpoint=https://other.example.org:8151/pap/services/

alias=mylocal
    isLocal=true
    visibility={visibility}
    enabled=false
    endpoint=https://localhost:8150/pap/services/

"""
ALL = "POLICY_READ_LOCAL|POLICY_READ_REMOTE|POLICY_WRITE|CONFIGURATION_READ|CONFIGURATION_WRITE"
ANYONE = f"\nANYONE :\n\t{ALL}\n"
VO_ADMIN = "\n/dteam/Role=VO-Admin :\n\tPOLICY_READ_LOCAL|CONFIGURATION_READ\n"
OTHER_ADMIN = '\n"/DC=org/DC=example/CN=Other Admin" :\n\t{}\n'
# BETTER: told on stderr, too.
ALREADY = '{}="{}" is banned already, nothing was changed.\n'

DIFFERENT: Final = {
    "009-ban-existing-in-multi-attribute-rule": Different(
        "a deny rule that asks for more is not the ban", {0: NOTHING_SAID}, MULTI_ATTRIBUTE_DENY
    ),
    "011-ban-errors": Different(
        "the texts of one parser for files and commands",
        {0: (5, 'unknown attribute "foo"\n', ""), 5: (5, "the value is empty\n", "")},
    ),
    "014-unban-is-string-exact": Different(
        "another spelling of a name is the same name",
        {1: NOTHING_SAID, 2: (2, "ban policy not found.\n", "")},
    ),
    "019-add-policy-new-resource": Different("Java stores new elements twice", versions=True),
    "020-add-policy-existing-resource-and-action": Different("Java stores new elements twice", versions=True),
    "021-add-policy-bottom-new-action": Different(
        "a new action goes to the bottom too",
        {0: NOTHING_SAID},
        R1.format(obligation="", new="", after=NEW_ACTION),
    ),
    "022-add-policy-bottom-new-resource": Different(
        "a new resource goes to the bottom too",
        {0: NOTHING_SAID},
        R1.format(obligation="", new="", after="") + NEW_RESOURCE,
    ),
    "024-add-policy-errors": Different(
        "the word that is no attribute is named",
        {
            4: (4, "", '\nParse error: Specify attributes as <id=value> (found: "vo")\n\n'),
            5: (4, "", '\nParse error: unknown attribute "foo"\n\n'),
        },
    ),
    "025-add-policy-unknown-attribute-in-the-middle": Different(
        "no rule wider than the one asked for",
        {0: (4, "", '\nParse error: unknown attribute "foo"\n\n')},
        R1.format(obligation="", new="", after=""),
    ),
    "029-add-policy-obligation-new-resource": Different("Java stores new elements twice", versions=True),
    "030-add-policy-obligation-action-scope-new": Different("Java stores new elements twice", versions=True),
    "031-add-policy-obligation-existing-resource": Different(
        "an obligation is not lost",
        listing=R1.format(obligation=OBLIGATION, new='\n        rule permit { vo="x" }', after=""),
    ),
    "032-add-policy-obligation-action-scope-existing": Different(
        "an obligation does not replace others", listing=TWO_OBLIGATIONS
    ),
    "035-move-errors": Different(
        "the id that is not there is named; a move that moves nothing changes nothing",
        {2: (5, "Id not found: nope\n", "")},
        versions=True,
    ),
    "038-remove-errors": Different(
        "all or nothing", listing=R1.format(obligation="", new="", after=""), over=("rest",)
    ),
    "042-apf-actions-into-resource": Different("private actions of a file are private", listing=PRIVATE_ACTION),
    "043-apf-errors": Different(
        "every problem of a file, with its place",
        {
            2: (2, NOT_ADDED % "bad.spl" + DENI, ""),
            3: (2, NOT_ADDED % "unknown.spl" + 'line 3, column 21: unknown attribute "dn"\n', ""),
        },
    ),
    "044-upf-resource": Different("an action that goes counts as a change", versions=True),
    "045-upf-action": Different("Java always stores the version 2", versions=True),
    "046-upf-errors": Different(
        "a syntax error in one line", {7: (2, "Syntax error in file: {FILE:bad.spl}\n" + DENI, "")}
    ),
    "049-paps-lifecycle": Different(
        "without an order the paps stand as they were added, in Java as a hash table has them",
        {
            5: (0, PAPS.format(visibility="private"), ""),
            7: (
                0,
                "alias = default (local, enabled, public)\n"
                "alias = central (remote, enabled, private, https://central.example.org:8150/pap/services/)\n"
                "alias = other (remote, disabled, public, https://other.example.org:8151/pap/services/)\n"
                "alias = mylocal (local, disabled, private)\n",
                "",
            ),
            17: (0, PAPS.format(visibility="public"), ""),
        },
    ),
    "051-polling-interval-and-ping": Different(
        "our version", {7: (0, f'Contacting PAP at "{URL}"... ok (PAP version: {__version__})\n', "")}
    ),
    "052-acl-commands": Different(
        "entries stand as they were added, in Java as a hash table has them",
        {
            3: (0, ANYONE + VO_ADMIN + OTHER_ADMIN.format(ALL), ""),
            4: (0, ANYONE + VO_ADMIN + OTHER_ADMIN.format(ALL), ""),
            5: (0, ANYONE + VO_ADMIN + OTHER_ADMIN.format(ALL), ""),
            7: (0, ANYONE + VO_ADMIN + OTHER_ADMIN.format("POLICY_READ_LOCAL"), ""),
        },
    ),
}
RECORDED: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[3] / "vectors/pap-admin/sequences.json").read_text()
)

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
JAVA_CLASS = re.compile(r"(^|error: )(?:[a-z]+\.)+[A-Z]\w+: ", re.MULTILINE)


def normalised(text: str) -> str:
    """Ids numbered as they appear, and the two spellings of a public id made one."""
    numbers: dict[str, str] = {}
    return UUID.sub(lambda found: numbers.setdefault(found[0], f"#{len(numbers)}"), text.replace("public-", "public_"))


def without_java(text: str, folder: Path) -> str:
    """A recorded output as we mean to say it: without class names, with our file names."""
    return re.sub(r"\{FILE:([^}]+)\}", lambda found: f"{folder}/{found[1]}", JAVA_CLASS.sub(r"\1", text))


class Ids:
    """The ids of a ``-sai`` listing, by the first letter of their kind ("u" for rules) and number."""

    def __init__(self, listing: str) -> None:
        self._ids: dict[str, list[str]] = {"r": [], "a": [], "u": []}
        for id, kind in re.findall(r"id=(\S+)\n\s*(?:private\n\s*)?(resource|action|rule)", listing):
            self._ids["u" if kind == "rule" else kind[0]].append(id)

    def fill(self, word: str, folder: Path) -> str:
        found = re.fullmatch(r"\{([rauf]):(.+)\}", word)
        if found is None:
            return word
        kind, name = found.groups()
        return f"{folder}/{name}" if kind == "f" else self._ids[kind][int(name) - 1]


def elements(element: PolicySet | Policy) -> Iterator[PolicySet | Policy]:
    yield element
    if isinstance(element, PolicySet):
        for child in element.children:
            assert isinstance(child, PolicySet | Policy)
            yield from elements(child)


@pytest.mark.parametrize("sequence", RECORDED, ids=lambda sequence: sequence["name"])
def test_commands_do_and_say_what_the_java_client_does(
    sequence: dict[str, Any], pap_admin: PapAdmin, tmp_path: Path
) -> None:
    different = DIFFERENT.get(sequence["name"], Different("in nothing"))
    if pap_admin.speaks not in different.over:
        different = Different("in nothing")
    for name, text in sequence.get("files", {}).items():
        (tmp_path / name).write_text(text)
    if "initial_spl" in sequence:
        (tmp_path / "initial.spl").write_text(sequence["initial_spl"])
        assert pap_admin("apf", f"{tmp_path}/initial.spl").exit_code == 0
    for number, step in enumerate(sequence["steps"]):
        ids = Ids(pap_admin("lp", "-sai").stdout)
        got = pap_admin(*(ids.fill(word, tmp_path) for word in step["command"]))
        said = step.get("stdout", "")
        complained = ALREADY.format(*step["command"][-2:]) if "already exists)" in said else step.get("stderr", "")
        exit_code, stdout, stderr = different.steps.get(number, (step["exit_code"], said, complained))
        assert got.exit_code == exit_code, step
        assert normalised(got.stdout) == normalised(without_java(stdout, tmp_path)), step
        assert normalised(got.stderr) == normalised(stderr), step
    if different.listing is not None:
        assert pap_admin("lp").stdout == different.listing
        return
    assert normalised(pap_admin("lp", "-sai").stdout) == normalised(sequence["final_listing"])
    if "final_versions" in sequence and not different.versions:
        assert [element.version for element in elements(pap_admin.root())] == sequence["final_versions"]
