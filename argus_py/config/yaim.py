"""``users.conf`` and ``groups.conf`` of YAIM: the accounts of a site, and who is mapped to which of them.

A line of users.conf is ``UID:LOGIN:GID[,GID...]:GROUP[,GROUP...]:VO:FLAG:``, one of groups.conf
``"FQAN":GROUP:GID:FLAG:[VO]``. A flag (``sgm``, ``prd``, ``pilot`` ...) joins the two: who has the FQAN gets an account
of the VO with the same flag, without a flag an ordinary one. Of several lines that fit, the first counts.

Source: the YAIM guide (LCG/YaimGuide400, "User configuration in YAIM")
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from argus_py.config.ini import Place, Problem
from argus_py.errors import ConfigurationError
from argus_py.model.dn import escape_controls
from argus_py.model.fqan import Fqan, FqanPattern, FqanSyntaxError

MAX_LENGTH: Final = 64 * 1024 * 1024  # characters; a million accounts
_MAX_PROBLEMS: Final = 100  # told of one file; who made so many has taken the wrong file
_SHOWN: Final = 100  # characters of a wrong field
_MAX_ID: Final = 2**32 - 2  # of users and groups: the highest number stands for "none"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FLAG = re.compile(r"[A-Za-z0-9_.-]*")
_CATEGORY = re.compile(r'"([^"]*)":(.*)')
_OLD_FQAN = re.compile(r"/VO=[^/]+/GROUP=(/.*)", re.IGNORECASE)
_BEHIND_ROLE = re.compile(r"(/role=[^/*]+)/\*\Z", re.IGNORECASE)
_USER_FIELDS: Final = 6
_CATEGORY_FIELDS: Final = 4  # the last may be missing, also behind a colon

T = TypeVar("T")


class BadYaimFile(ConfigurationError):
    """A file cannot be used; ``problems`` lists everything that is wrong in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(escape_controls(str(problem)) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Account:
    """``groups`` with their numbers, the primary one first; ``flag`` is empty for ordinary accounts."""

    line: int
    login: str
    uid: int
    groups: tuple[tuple[str, int], ...]
    vo: str
    flag: str

    @property
    def primary_group(self) -> str:
        return self.groups[0][0]


@dataclass(frozen=True, slots=True)
class Category:
    """Who is mapped to what. ``key`` is one of Argus' map files; ``group`` None: that of the accounts."""

    line: int
    key: str
    group: str | None
    flag: str
    vo: str

    @property
    def pattern(self) -> FqanPattern:
        return FqanPattern.parse(self.key)


def parse_users(text: str, file: str) -> tuple[Account, ...]:
    """The accounts in file order, at least one; logins and numbers are unique. Raises BadYaimFile."""
    accounts = _parsed(text, file, _account)
    _check_accounts(accounts, file)
    return accounts


def parse_groups(text: str, file: str) -> tuple[Category, ...]:
    """The lines in file order, at least one.

    >>> parse_groups('"/dteam/ROLE=pilot":::pilot:', "groups.conf")[0]
    Category(line=1, key='/dteam/Role=pilot', group=None, flag='pilot', vo='dteam')

    Raises BadYaimFile.
    """
    return _parsed(text, file, _category)


def _parsed(text: str, file: str, parse: Callable[[int, str], T]) -> tuple[T, ...]:
    if len(text) > MAX_LENGTH:
        raise BadYaimFile([Problem(Place(file), f"it is longer than {MAX_LENGTH} characters")])
    parsed: list[T] = []
    problems: list[Problem] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        try:
            parsed.append(parse(number, line))
        except ValueError as error:
            problems.append(Problem(Place(file, number), str(error)))
            if len(problems) == _MAX_PROBLEMS:
                break
    if not (parsed or problems):
        problems.append(Problem(Place(file), "there is no entry in it"))
    if problems:
        raise BadYaimFile(problems)
    return tuple(parsed)


def _account(number: int, line: str) -> Account:
    """Raises ValueError."""
    fields = line.split(":")
    if len(fields) < _USER_FIELDS or any(fields[_USER_FIELDS:]):
        raise ValueError("the fields are not those of UID:LOGIN:GID[,GID...]:GROUP[,GROUP...]:VO:FLAG:")
    uid, login, gids, groups, vo, flag = fields[:_USER_FIELDS]
    names, numbers = [_name(group) for group in groups.split(",")], [_id(gid) for gid in gids.split(",")]
    if len(names) != len(numbers):
        raise ValueError(f"{len(numbers)} group numbers and {len(names)} group names")
    if not vo:
        raise ValueError("the VO is missing")
    return Account(number, _name(login), _id(uid), tuple(zip(names, numbers, strict=True)), vo, _flag(flag))


def _category(number: int, line: str) -> Category:
    """Raises ValueError."""
    matched = _CATEGORY.fullmatch(line)
    if matched is None:
        raise ValueError('it does not begin with an FQAN in double quotes and a colon, as in "/dteam":::: ')
    group, gid, flag, vo, *more = f"{matched[2]}:".split(":")
    if len(matched[2].split(":")) < _CATEGORY_FIELDS - 1 or any(more):
        raise ValueError('the fields are not those of "FQAN":GROUP:GID:FLAG:[VO]')
    if gid:
        _id(gid)
    try:
        key = _key(matched[1])
    except FqanSyntaxError as error:
        raise ValueError(str(error)) from error
    return Category(number, key, _name(group) if group else None, _flag(flag), vo or key.split("/")[1])


def _key(text: str) -> str:
    """The same for Argus, which knows no capabilities. Raises FqanSyntaxError."""
    if not text.isprintable() or "\\" in text:
        raise FqanSyntaxError(text, "it has a backslash or a control character in it")
    old = _OLD_FQAN.fullmatch(text)
    fqan = Fqan.parse(_BEHIND_ROLE.sub(r"\1", old[1] if old else text))
    key = str(Fqan(fqan.group, fqan.role))
    FqanPattern.parse(key)
    return key


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text[:_SHOWN]!r} is no name of an account or a group")
    return text


def _flag(text: str) -> str:
    if not _FLAG.fullmatch(text):
        raise ValueError(f"{text[:_SHOWN]!r} is no flag")
    return text


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_ID)) and 0 < int(text) <= _MAX_ID):
        raise ValueError(f"{text[:_SHOWN]!r} is no number that an account or a group can have; 0 is root's")
    return int(text)


def _check_accounts(accounts: Iterable[Account], file: str) -> None:
    """Raises BadYaimFile: a login or a number is there twice, or a group has two numbers."""
    problems = [
        Problem(Place(file, line), f"{what} is that of line {first} too") for line, what, first in _doubles(accounts)
    ]
    if problems:
        raise BadYaimFile(problems[:_MAX_PROBLEMS])


def _doubles(accounts: Iterable[Account]) -> Iterator[tuple[int, str, int]]:
    """Line, what it repeats, and of which line."""
    logins: dict[str, int] = {}
    uids: dict[int, int] = {}
    gids: dict[str, tuple[int, int]] = {}
    for account in accounts:
        if (first := logins.setdefault(account.login, account.line)) != account.line:
            yield account.line, f"the login {account.login}", first
        elif (first := uids.setdefault(account.uid, account.line)) != account.line:
            yield account.line, f"the number {account.uid}", first
        for group, gid in account.groups:
            known, first = gids.setdefault(group, (gid, account.line))
            if known != gid:
                yield account.line, f"with another number, the group {group}", first
