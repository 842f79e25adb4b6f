"""What the files of a site say about paps and permissions, taken up into the store.

The files are only read, and what commands change stays in the store. A file is taken up when it says something else
than when it was last taken up, as a change of its own in the history.

BETTER: in Java the file and the repository are two copies of the same facts, and a pap that the file does not name is
deleted with its policies.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from argus_py.pap.authorization import Acl, principal_text
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.pap.ports import PolicyRepository, PolicyWriter

POLL_INTERVAL = "poll-interval"  # the setting: seconds
DEFAULT_POLL_INTERVAL = timedelta(minutes=5)  # that of the shipped configuration
CONFIGURATION_FILE = "pap_configuration.ini"
AUTHORIZATION_FILE = "pap_authorization.ini"


@dataclass(frozen=True, slots=True)
class ConfiguredPap:
    """``enabled`` counts when the pap is new; later it is changed by commands only. ``remote`` None: a local pap."""

    alias: str
    enabled: bool
    public: bool
    remote: Remote | None = None

    def created(self, new_id: Callable[[], str]) -> Pap:
        return Pap(f"{self.alias}-{new_id()}", self.alias, self.enabled, self.public, self.remote)


@dataclass(frozen=True, slots=True)
class ConfiguredPaps:
    """All that a configuration file says about paps; the pap ``default`` is never among them."""

    paps: tuple[ConfiguredPap, ...]
    ordering: tuple[str, ...]
    poll_interval: timedelta


def take_up_paps(
    repository: PolicyRepository, configured: ConfiguredPaps, new_id: Callable[[], str]
) -> tuple[str, ...]:
    """Add the paps that are new, and give known ones the settings of the file; none is removed.

    Returns sentences about what the file says and the store does not follow.
    """
    told: list[str] = []
    with repository.change(Note(CONFIGURATION_FILE, f"take up {CONFIGURATION_FILE}")) as writer:
        if not _is_new(writer, CONFIGURATION_FILE, repr(configured)):
            return ()
        known = {pap.alias: pap for pap in writer.paps()}
        for wanted in configured.paps:
            there = known.get(wanted.alias)
            if there is None:
                writer.add_pap(wanted.created(new_id))
            elif there.is_local != (wanted.remote is None):
                kind = "local" if there.is_local else "remote"
                told.append(f"the pap {wanted.alias!r} is {kind} here and stays so: remove it first")
            else:
                changed = replace(there, public=wanted.public, remote=wanted.remote)
                if changed != there:
                    writer.store(changed, writer.resources(there))
        aliases = {wanted.alias for wanted in configured.paps}
        told += (
            f"the pap {alias!r} is not in the file and stays"
            for alias, pap in known.items()
            if alias not in aliases and not pap.is_default
        )
        writer.set_ordering(configured.ordering)
        writer.set_setting(POLL_INTERVAL, str(configured.poll_interval // timedelta(seconds=1)))
    return tuple(told)


def take_up_acl(repository: PolicyRepository, acl: Acl) -> None:
    """Make the entries of the file those of the store, whatever commands have added or removed before."""
    with repository.change(Note(AUTHORIZATION_FILE, f"take up {AUTHORIZATION_FILE}")) as writer:
        if _is_new(writer, AUTHORIZATION_FILE, _acl_text(acl)):
            writer.set_acl(acl)


def _acl_text(acl: Acl) -> str:
    """INVARIANT: the same in every version of this program, or an upgrade would bring back who was removed since."""
    return "\n".join(f"{principal_text(principal)} : {permissions}" for principal, permissions in acl.entries)


def _is_new(writer: PolicyWriter, file: str, content: str) -> bool:
    """Whether a file says something else than when it was last taken up; that is remembered."""
    key, digest = f"taken-up:{file}", hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    if writer.setting(key) == digest:
        return False
    writer.set_setting(key, digest)
    return True
