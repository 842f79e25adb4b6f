"""Map files and pool accounts from YAIM's lists of accounts and categories of users.

The lines keep their order. Behind them each VO that has ordinary accounts gets lines for all of its groups and roles:
worker nodes have to take everybody whom the VO takes, and in Argus ``/vo/*`` stands for members without a role only.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from argus_py.config.yaim import Account, Category
from argus_py.errors import ConfigurationError
from argus_py.model.fqan import NULL, Fqan, FqanPattern

PILOT: Final = "pilot"  # the flag of accounts that may change to others, and the role of those who get them
_DIGITS: Final = "0123456789"


class UnusableAccounts(ConfigurationError):
    """The two files do not fit together; ``problems`` lists all that is in the way."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class SiteAccounts:
    """``accounts`` and ``groups`` are the lines of the two map files: key and target, a pool with its dot.

    ``pool_accounts``: what belongs into the gridmapdir; ``white_list``: who may call gLExec; ``pilot_groups``: theirs.
    """

    accounts: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    pool_accounts: tuple[str, ...]
    white_list: tuple[str, ...]
    pilot_groups: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What a category is mapped to; ``logins`` are those of the pool, ``groups`` what the group may be chosen from."""

    indicator: str
    group: str
    logins: tuple[str, ...]
    groups: tuple[str, ...]


def site_accounts(categories: Sequence[Category], accounts: Iterable[Account]) -> SiteAccounts:
    """Raises UnusableAccounts: a category has no accounts, two kinds have one pool, or pilots none of their own."""
    joining = _Joining(accounts)
    for category in categories:
        joining.add(category)
    for vo in dict.fromkeys(category.vo for category in categories):
        joining.add_all_of(vo)
    return joining.joined()


class _Joining:
    def __init__(self, accounts: Iterable[Account]) -> None:
        self._of: dict[tuple[str, str], list[Account]] = {}
        for account in accounts:
            self._of.setdefault((account.vo, account.flag), []).append(account)
        self._found: dict[tuple[str, str], _Chosen] = {}  # by VO and flag, as the accounts
        self._kinds: dict[str, tuple[str, str]] = {}  # VO and flag by indicator
        self._lines: dict[str, _Chosen] = {}
        self._ordinary: dict[str, _Chosen] = {}  # by VO
        self._pilots: dict[str, Category] = {}  # by key
        self._problems: list[str] = []
        self._warnings: list[str] = []

    def add(self, category: Category) -> None:
        if category.key in self._lines:
            self._warnings.append(f"groups.conf line {category.line}: {category.key} is there before, and counts there")
            return
        chosen = self._chosen(category)
        if chosen is None:
            return
        self._lines[category.key] = chosen
        pattern = category.pattern
        if PILOT in (category.flag, pattern.role):
            self._pilots[category.key] = category
            self._warn_of_pilots_behind(category)
        elif not category.flag and pattern.role in (NULL, "*") and pattern.group == f"/{category.vo}":
            self._ordinary.setdefault(category.vo, chosen)

    def _warn_of_pilots_behind(self, category: Category) -> None:
        """The first line that fits counts."""
        pilot = Fqan(category.pattern.group, category.pattern.role)
        first = next(key for key in self._lines if FqanPattern.parse(key).matches(pilot))  # its own at the latest
        if first != category.key:
            self._warnings.append(
                f"groups.conf line {category.line}: {category.key} is behind {first}, which takes its pilots too"
            )

    def add_all_of(self, vo: str) -> None:
        """The root group and whatever is below it, in any role."""
        chosen = self._ordinary.get(vo)
        if chosen is None:
            self._warnings.append(f'groups.conf has no line "/{vo}":::: for the members of {vo} without a special role')
            return
        for key in (f"/{vo}", f"/{vo}/*", f"/{vo}/*/Role=*"):
            self._lines.setdefault(key, chosen)

    def joined(self) -> SiteAccounts:
        self._problems += self._pilots_not_apart()
        if self._problems:
            raise UnusableAccounts(self._problems)
        pilots = [self._lines[key] for key in self._pilots]
        if not pilots:
            self._warnings.append("groups.conf has no pilot role: nobody will be able to call gLExec")
        return SiteAccounts(
            tuple((key, chosen.indicator) for key, chosen in self._lines.items()),
            tuple((key, chosen.group) for key, chosen in self._lines.items()),
            tuple(login for chosen in self._found.values() for login in chosen.logins),
            tuple(dict.fromkeys(pilot.indicator for pilot in pilots)),
            tuple(dict.fromkeys(pilot.group for pilot in pilots)),
            tuple(dict.fromkeys(self._warnings)),
        )

    def _chosen(self, category: Category) -> _Chosen | None:
        """None: there are no accounts, which is a problem."""
        kind = category.vo, category.flag
        if kind not in self._of:
            self._problems.append(
                f"groups.conf line {category.line}: {category.key} needs accounts of {_told(kind)}, "
                "and users.conf has none"
            )
            return None
        if kind not in self._found:
            self._found[kind] = self._of_kind(kind)
        found = self._found[kind]
        if category.group is not None:
            return replace(found, group=category.group)
        if len(found.groups) > 1:
            self._warnings.append(
                f"users.conf: the accounts of {_told(kind)} have different primary groups, "
                f"the first of which is used: {', '.join(found.groups)}"
            )
        return found

    def _of_kind(self, kind: tuple[str, str]) -> _Chosen:
        accounts = self._of[kind]
        first = accounts[0]
        pool = first.login.rstrip(_DIGITS)
        fitting = tuple(account.login for account in accounts if _is_of_pool(account.login, pool))
        static = pool == first.login
        if len(accounts) > (1 if static else len(fitting)):
            used = f"the login {first.login}" if static else f"the pool {pool}"
            self._warnings.append(f"users.conf: of the accounts of {_told(kind)}, only {used} is used")
        indicator = first.login if static else f".{pool}"
        other = self._kinds.setdefault(indicator, kind)
        if other != kind:
            self._problems.append(
                f"users.conf: accounts of {_told(other)} and of {_told(kind)} are of one pool, {pool}: "
                "it tells them apart by nothing, and each would get the accounts of the other"
            )
        groups = tuple(dict.fromkeys(account.primary_group for account in accounts))
        return _Chosen(indicator, first.primary_group, () if static else fitting, groups)

    def _pilots_not_apart(self) -> Iterator[str]:
        others = {chosen.indicator: key for key, chosen in self._lines.items() if key not in self._pilots}
        for key, category in self._pilots.items():
            indicator = self._lines[key].indicator
            if indicator in others:
                yield (
                    f"groups.conf line {category.line}: {key} leads to {indicator}, as {others[indicator]} does: "
                    "who may call gLExec needs accounts of his own"
                )


def _told(kind: tuple[str, str]) -> str:
    vo, flag = kind
    return f"{vo} with {f'the flag {flag}' if flag else 'no flag'}"


def _is_of_pool(login: str, pool: str) -> bool:
    return login != pool and login.rstrip(_DIGITS) == pool
