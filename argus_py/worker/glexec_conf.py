"""glexec.conf: one section ``[glexec]`` of ``key = value`` lines with ``#`` comments.

An unknown key is worth a warning, since every version of gLExec had its own; a wrong value, or a key given twice,
refuses the file: who may change identities is not guessed. Keys of LCAS are read and have no effect, but LCAS itself,
which is not here, cannot be asked for.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from argus_py.worker.account_list import AccountList
from argus_py.worker.errors import GlexecConfError

MAX_LENGTH: Final = 64 * 1024  # characters; real files have two thousand
_SECTION: Final = "glexec"
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SwitchBy(Enum):
    """Who is to change the identity: the plug-in posix_enf of the policy, or gLExec after the policy."""

    LCMAPS = "lcmaps"
    GLEXEC = "glexec"


class LogDestination(Enum):
    SYSLOG = "syslog"
    FILE = "file"


class Lock(Enum):
    """How proxy files are locked while they are read."""

    FLOCK = "flock"
    FCNTL = "fcntl"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class GlexecConf:
    """The keys by their names, with the defaults of gLExec; ``warnings`` are for the log."""

    user_white_list: AccountList = field(default_factory=AccountList)
    user_identity_switch_by: SwitchBy = SwitchBy.GLEXEC
    lcmaps_db_file: str = "/etc/lcmaps/lcmaps-glexec.db"
    lcmaps_log_file: str | None = None
    lcmaps_get_account_policy: str = "glexec_get_account"
    lcmaps_verify_account_policy: str = "glexec_verify_account"
    lcmaps_debug_level: int = 3
    lcmaps_log_level: int | None = None
    log_level: int = 3
    log_destination: LogDestination = LogDestination.SYSLOG
    log_file: str | None = None
    silent_logging: bool = False
    linger: bool = True
    preserve_env_variables: tuple[str, ...] = ()
    input_lock_mechanism: Lock = Lock.FLOCK
    create_target_proxy: bool = True
    omission_private_key_white_list: AccountList = field(default_factory=AccountList)
    prohibit_exec_via_symlink: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def policy_log_level(self) -> int:
        """Of the lines that LCMAPS writes; the older of its two keys counts where the newer is not given."""
        return self.lcmaps_debug_level if self.lcmaps_log_level is None else self.lcmaps_log_level


def parse_glexec_conf(text: str, file: str) -> GlexecConf:
    """``file`` names the text in errors and warnings.

    Raises GlexecConfError: a line that is none, a wrong value, a key twice, no section, too long.
    """
    if len(text) > MAX_LENGTH:
        raise GlexecConfError(file, 1, "", f"{len(text)} characters; {MAX_LENGTH} are allowed")
    warnings: list[str] = []
    values: dict[str, Any] = {}
    seen: set[str] = set()
    section: str | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = _section(line, file, number)
            if section != _SECTION:
                warnings.append(f"{file}: line {number}: the section [{section}] is not known and passed over")
            continue
        if section is None:
            raise GlexecConfError(file, number, "", f"a line in front of the section [{_SECTION}]")
        if section != _SECTION:
            continue
        key, value = _key_and_value(line, file, number)
        if key in seen:
            raise GlexecConfError(file, number, key, "is given a second time")
        seen.add(key)
        read = _READERS.get(key)
        if read is None:
            warnings.append(f"{file}: line {number}: the key {key} is not known and has no effect")
            continue
        try:
            values[key] = read(value)
        except ValueError as error:
            raise GlexecConfError(file, number, key, str(error)) from None
        if key == "preserve_env_variables":
            warnings += (
                f"{file}: line {number}: {each} is never handed on" for each in filter(is_hostile, values[key])
            )
    if section is None:
        raise GlexecConfError(file, 1, "", f"there is no section [{_SECTION}]")
    kept = {key: value for key, value in values.items() if key not in _WITHOUT_EFFECT}
    return GlexecConf(**kept, warnings=tuple(warnings))


def is_hostile(variable: str) -> bool:
    """Variables that change what a program is before it begins: of the loader, the allocator, an interpreter."""
    return variable.startswith(("LD_", "MALLOC_", "GLIBC_TUNABLES", "GCONV_PATH", "PYTHON"))


def _section(line: str, file: str, number: int) -> str:
    name, end, rest = line[1:].partition("]")
    if not end or (rest.strip() and not rest.strip().startswith("#")):
        raise GlexecConfError(file, number, "", f"{line!r} is no section")
    return name.strip()


def _key_and_value(line: str, file: str, number: int) -> tuple[str, str]:
    key, sign, value = (part.strip() for part in line.partition("="))
    if not sign or _NAME.fullmatch(key) is None:
        raise GlexecConfError(file, number, "", f"{line!r} is neither 'key = value' nor a section nor a comment")
    return key, re.sub(r"(?:\A|\s)#.*", "", value).strip()


def _path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"{value!r} is no absolute path")
    return value


def _policy(value: str) -> str:
    if _NAME.fullmatch(value) is None:
        raise ValueError(f"{value!r} is no name of a policy")
    return value


def _level(value: str) -> int:
    if value not in ("0", "1", "2", "3", "4", "5"):
        raise ValueError(f"{value!r} is no level from 0 to 5")
    return int(value)


def _yes(value: str) -> bool:
    match value.lower():
        case "yes" | "true" | "on" | "1":
            return True
        case "no" | "false" | "off" | "0":
            return False
    raise ValueError(f"{value!r} is neither yes nor no")


def _lock(value: str) -> Lock:
    return Lock.DISABLED if value == "none" else _word(Lock, value)


def _word(words: type[Enum], value: str) -> Any:
    try:
        return words(value)
    except ValueError:
        known = ", ".join(str(word.value) for word in words)
        raise ValueError(f"{value!r} is none of {known}") from None


def _variables(value: str) -> tuple[str, ...]:
    names = tuple(name for name in re.split(r"[,\s]+", value) if name)
    wrong = next((name for name in names if _VARIABLE.fullmatch(name) is None), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no name of a variable")
    return names


def _no_lcas(value: str) -> bool:
    if _yes(value):
        raise ValueError("LCAS is not part of this program: ban users with lcmaps_ban_dn and lcmaps_ban_fqan")
    return False


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "user_white_list": AccountList.parse,
    "user_identity_switch_by": lambda value: _word(SwitchBy, value),
    "lcmaps_db_file": _path,
    "lcmaps_log_file": _path,
    "lcmaps_get_account_policy": _policy,
    "lcmaps_verify_account_policy": _policy,
    "lcmaps_debug_level": _level,
    "lcmaps_log_level": _level,
    "use_lcas": _no_lcas,
    "lcas_db_file": _path,
    "lcas_log_file": _path,
    "lcas_debug_level": _level,
    "lcas_log_level": _level,
    "log_level": _level,
    "log_destination": lambda value: _word(LogDestination, value),
    "log_file": _path,
    "silent_logging": _yes,
    "linger": _yes,
    "preserve_env_variables": _variables,
    "input_lock_mechanism": _lock,
    "target_lock_mechanism": _lock,
    "create_target_proxy": _yes,
    "omission_private_key_white_list": AccountList.parse,
    "prohibit_exec_via_symlink": _yes,
    "pedantic_security_checks": _yes,
}
# Read for their values alone: LCAS is not here, a copy comes into being by a rename, pedantic checks are always made.
_WITHOUT_EFFECT: Final = frozenset(key for key in _READERS if key.startswith("lcas_")) | {
    "use_lcas",
    "target_lock_mechanism",
    "pedantic_security_checks",
}
