"""Policies from map files: whoever the file gives a group, or an account, may run jobs on the worker nodes.

A key without a star is permitted as primary FQAN. ``/vo/*`` permits all that is below the group, in any role: members
of a group always carry the FQANs of the groups above it too, so it is enough that ``/vo`` is among theirs.

``classic`` is the script that sites have used for this, byte for byte: it copies what it does not understand.
``derive`` reads the file, and what it writes can be loaded.

Source: quattor/template-library-grid:umd-4/personality/argus/pap.pan
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from argus_py.errors import MalformedInput
from argus_py.model.dn import MAX_TEXT_LENGTH, DistinguishedName, DnSyntaxError, escape_controls
from argus_py.model.fqan import NULL, Fqan, FqanSyntaxError
from argus_py.model.identifiers import Glite
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower
from argus_py.spl.parser import parse
from argus_py.spl.printer import in_quotes

MAX_LENGTH: Final = 16 * 1024 * 1024  # characters; the group map of a site with a hundred VOs has some 100,000
WORKER_NODE: Final = "http://authz-interop.org/xacml/resource/resource-type/wn"

_CLASSIC_HEAD: Final = f"""\
resource "{WORKER_NODE}" {{
    obligation "{Glite.LOCAL_ENVIRONMENT_MAP}" {{}}
    action "{Glite.ACTION_EXECUTE}" {{

"""
_CLASSIC_END: Final = "    }\n}\n\n"
# In this order, each applied to what the one before has left.
_LISTED = re.compile(r'("[^*\n]*").*')
_IS_WHOLE_VO = re.compile(r'"/[^/]*/\*"')
_WHOLE_VO = re.compile(r'"(/.*)/.*')
_CLASSIC_DN = re.compile(r'pfqan = "/[^/"]*=')

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_COMMENT = re.compile(r"(?:\A|\s)#.*")
_BELOW = re.compile(r"/\*(?P<role>/role=\*)?\Z", re.IGNORECASE)
_CAPABILITY = re.compile(r"/capability=[^/]*", re.IGNORECASE)
_WILD = re.compile(r"[*?\[]")
_LONGEST_KEY: Final = 200  # characters of one that are shown

Attribute = Literal["fqan", "pfqan", "subject"]


@dataclass(frozen=True, slots=True)
class GroupMapProblem:
    """A line that cannot be expressed, or says something else than was meant; ``line`` 0: about no line of the file."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: line {self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class GroupMapError(MalformedInput):
    """No policy can be made; ``problems`` tells all that is in the way."""

    def __init__(self, problems: Iterable[GroupMapProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class UnquotableText(MalformedInput):
    """``text`` has both kinds of quotes, a line end or a backslash in it, and so cannot stand in a policy."""

    def __init__(self, text: str) -> None:
        super().__init__(f"no quotes of a policy fit around {text[:_LONGEST_KEY]!r}")
        self.text = text


class NobodyPermitted(MalformedInput):
    """Nothing in the file becomes a rule, and no policy can be without one."""

    def __init__(self, file: str) -> None:
        super().__init__(f"{file}: no line permits anybody")
        self.file = file


@dataclass(frozen=True, slots=True)
class PolicyFrame:
    """What the rules stand in; resource and action are patterns."""

    resource: str = WORKER_NODE
    action: str = Glite.ACTION_EXECUTE
    obligation: str = Glite.LOCAL_ENVIRONMENT_MAP


@dataclass(frozen=True, slots=True)
class DerivedPolicy:
    """``problems`` are of lines that were left out or copied, and should be looked at."""

    text: str
    problems: tuple[GroupMapProblem, ...]


def classic(text: str, file: str) -> DerivedPolicy:
    r"""What the script prints; it may be no policy. Half a surrogate pair stands for an octet that is not UTF-8.

    >>> print(classic('"/dteam/*" dteam\n', "groupmapfile").text.splitlines()[4])
         rule permit {fqan = "/dteam" }
    """
    problems = []
    lines = []
    *whole, rest = text.split("\n")
    for number, line in enumerate([*(f"{line}\n" for line in whole), rest], 1):
        changed = _classic_line(line)
        if changed is None:
            continue
        lines.append(changed)
        if _CLASSIC_DN.search(changed) and not changed.lstrip().startswith("#"):
            reason = "a DN becomes a primary FQAN, which no PDP can read: whoever reaches this rule is turned away"
            problems.append(GroupMapProblem(file, number, reason))
    return DerivedPolicy(_CLASSIC_HEAD + "".join(lines) + _CLASSIC_END, tuple(problems))


def _classic_line(line: str) -> str | None:
    line = _LISTED.sub(r"     rule permit {pfqan = \1 }", line, count=1)
    if _IS_WHOLE_VO.search(line):
        line = _WHOLE_VO.sub(r'     rule permit {fqan = "\1" }', line, count=1)
    return None if "*" in line else line


# --- Our own way


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line with a key; ``test`` None: ``reason`` tells why no rule can say it."""

    line: int
    key: str
    test: tuple[Attribute, str] | None
    reason: str = ""


def derive(
    text: str,
    file: str,
    frame: PolicyFrame,
    *,
    bans: Sequence[str] = (),
    skip_unsupported: bool = False,
) -> DerivedPolicy:
    """``bans``: DNs and FQANs that are denied first; ``skip_unsupported``: lines that no rule can say become comments.

    Raises GroupMapError: a line cannot be read or said; NobodyPermitted; UnquotableText, SplError: of the frame.
    """
    if len(text) > MAX_LENGTH:
        raise GroupMapError([GroupMapProblem(file, 1, f"the file is longer than {MAX_LENGTH} characters")])
    denied, refused = _denied(bans, file)
    entries = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if key := _key(line):
                entries.append(_entry(number, key))
        except ValueError as error:
            refused.append(GroupMapProblem(file, number, str(error)))
    whole = {entry.test[1] for entry in entries if entry.test and entry.test[0] == "fqan"}
    told = [entry for entry in entries if entry.test or not _is_covered(entry.key, whole)]
    problems = tuple(
        GroupMapProblem(file, entry.line, f"{_shown(entry.key)}: {entry.reason}") for entry in told if not entry.test
    )
    if refused or (problems and not skip_unsupported):
        raise GroupMapError(sorted((*refused, *problems), key=lambda problem: problem.line))
    if not any(entry.test for entry in told):
        raise NobodyPermitted(file)
    policy = _written(frame, denied, told)
    lower(parse(policy), DEFAULT_MAPPINGS, new_id=str)  # whatever is printed can be loaded
    return DerivedPolicy(policy, problems)


def _key(line: str) -> str:
    """The first word, or what stands in quotes; empty for a line without any. Raises ValueError."""
    line = line.strip()
    if not line or line.startswith("#"):
        return ""
    key = _written_key(line)
    if len(key) > MAX_TEXT_LENGTH:
        raise ValueError(f"the key is longer than {MAX_TEXT_LENGTH} characters")
    if not key.isprintable():
        raise ValueError("the key is not UTF-8, or has a character that no policy can have")
    return key


def _written_key(line: str) -> str:
    if line.startswith('"'):
        quoted = _QUOTED.match(line)
        if quoted is None or not quoted[1].strip():
            raise ValueError("the key is empty, or the quote at its end is missing")
        return quoted[1].replace('\\"', '"').strip()
    key, *others = _COMMENT.sub("", line).split()
    if len(others) > 1:
        raise ValueError("a key with a blank in it stands in double quotes")
    return key


def _entry(line: int, key: str) -> _Entry:
    try:
        test = _fqan_test(key) if _is_fqan(key) else ("subject", _name(key))
    except (FqanSyntaxError, DnSyntaxError) as error:
        return _Entry(line, key, None, error.reason)
    return _Entry(line, key, test, "" if test else "no rule can say this: stars stand only for all below a group")


def _is_fqan(key: str) -> bool:
    return key.startswith("/") and "=" not in key.lstrip("/").partition("/")[0]


def _fqan_test(key: str) -> tuple[Attribute, str] | None:
    """None: there is none. Raises FqanSyntaxError."""
    text = _CAPABILITY.sub("", key)
    below = _BELOW.search(text)
    trunk = text if below is None else text[: below.start()]
    if not trunk or "*" in trunk:
        return None
    fqan = Fqan.parse(trunk)
    if below is None:
        return "pfqan", str(fqan)
    if fqan.role == NULL:
        return "fqan", fqan.group
    return None if below["role"] else ("pfqan", str(fqan))  # behind a role the star stood for the capability


def _name(key: str) -> str:
    """As a rule can have it between quotes. Raises DnSyntaxError."""
    if "*" in key:
        raise DnSyntaxError(key, "no rule can say this: there are no patterns of DNs")
    name = DistinguishedName.parse_slash(key) if key.startswith("/") else DistinguishedName.parse_rfc2253(key)
    for spelling in (key, name.readable()):
        if in_quotes(spelling) is not None:
            return spelling
    raise DnSyntaxError(key, "no quotes of a policy fit around it")


def _is_covered(key: str, whole: Collection[str]) -> bool:
    """All that the key could mean is permitted by one of the groups that are permitted as a whole."""
    if "*" not in key:
        return False
    group = key.partition("*")[0].rpartition("/")[0]
    while group and group not in whole:
        group = group.rpartition("/")[0]
    return bool(group)


def _denied(bans: Iterable[str], file: str) -> tuple[list[tuple[Attribute, str]], list[GroupMapProblem]]:
    """A ban that no rule can say is a problem even if unsupported lines are skipped."""
    denied: list[tuple[Attribute, str]] = []
    problems = []
    for ban in bans:
        try:
            if _WILD.search(ban) or not ban.isprintable():
                raise FqanSyntaxError(ban, "rules have neither patterns nor control characters")
            denied.append(("fqan", str(Fqan.parse(ban))) if _is_fqan(ban) else ("subject", _name(ban)))
        except (FqanSyntaxError, DnSyntaxError) as error:
            problems.append(GroupMapProblem(file, 0, f"the ban {_shown(ban)} cannot be said: {error.reason}"))
    return denied, problems


def _written(frame: PolicyFrame, denied: Iterable[tuple[Attribute, str]], entries: Iterable[_Entry]) -> str:
    rules = [_rule("deny", test) for test in dict.fromkeys(denied)]
    rules += dict.fromkeys(_rule("permit", entry.test) if entry.test else _comment(entry) for entry in entries)
    return f"""\
resource {_in_quotes(frame.resource)} {{
    obligation {_in_quotes(frame.obligation)} {{}}
    action {_in_quotes(frame.action)} {{
{"".join(f"        {rule}{chr(10)}" for rule in rules)}    }}
}}
"""


def _rule(effect: str, test: tuple[Attribute, str]) -> str:
    return f"rule {effect} {{ {test[0]} = {_in_quotes(test[1])} }}"


def _comment(entry: _Entry) -> str:
    """A second number sign would end a comment in Java PAPs."""
    return "# not permitted: line {}, {}".format(entry.line, _shown(entry.key).replace("#", "?"))


def _in_quotes(text: str) -> str:
    """Raises UnquotableText."""
    quoted = in_quotes(text)
    if quoted is None:
        raise UnquotableText(text)
    return quoted


def _shown(text: str) -> str:
    return escape_controls(text[:_LONGEST_KEY]).encode("utf-8", "backslashreplace").decode()
