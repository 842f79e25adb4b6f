"""One run of argus-glexec, from the configuration to the payload; reads from top to bottom."""

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from argus_py.cli.glexec import payload as payloads
from argus_py.cli.glexec.caller import Caller, acting_as, find_caller, user_of
from argus_py.cli.glexec.log import Level, Log, open_logs
from argus_py.cli.glexec.node import WorkerNode, owners
from argus_py.cli.glexec.payload import Payload
from argus_py.errors import ArgusError, ConfigurationError
from argus_py.store.proxy_files import read_proxy_file, write_proxy_file
from argus_py.store.site_files import read_site_file
from argus_py.worker import glexec_conf, lcmaps_db
from argus_py.worker.environment import (
    CLIENT_CERT,
    MODE,
    PILOT_PROXY,
    SOURCE_PROXY,
    TARGET_DIR,
    TARGET_PROXY,
    payload_environment,
)
from argus_py.worker.errors import EXIT_INTERNAL, ClientError, NotAuthorized, exit_code
from argus_py.worker.glexec_conf import GlexecConf, SwitchBy, parse_glexec_conf
from argus_py.worker.identity import Identity, final_line, mapped_identity
from argus_py.worker.lcmaps_db import Policy, PolicyFile, parse_lcmaps_db
from argus_py.worker.payload_proxy import MAX_OCTETS, PayloadProxy, read_payload_proxy
from argus_py.worker.plugins.known import load_plugins
from argus_py.worker.policy import run_policy
from argus_py.worker.state import State

_GET_ACCOUNT: Final = "lcmaps_get_account"
_VERIFY_ACCOUNT: Final = "lcmaps_verify_account"
_NOTHING: Final = os.devnull  # as a proxy to copy from or to: no copy
_HIDDEN: Final = "the caller may not look at it"
_UMASK: Final = 0o022  # of a payload in another account: the caller's says nothing about that account's files
_STDERR: Final = 2


def run(arguments: Sequence[str], environment: Mapping[str, str], configuration: str) -> int:
    """The exit code; ``environment`` is the caller's."""
    log = Log(None, Level.NOTICE, also_errors_here=True)
    try:
        umask = prepare_process()
        caller = find_caller(environment)
        conf = _read_conf(configuration, caller)
        log, policy_log = open_logs(conf)
        return _Run(arguments, environment, caller, conf, umask=umask, log=log, policy_log=policy_log).payload()
    except ArgusError as error:
        _tell(log, str(error))
        return exit_code(error)
    except BaseException as error:  # noqa: BLE001 - boundary of the process: a bug, or an interrupt, is no payload's end
        _tell(log, f"internal error: {type(error).__name__}: {error}")
        return EXIT_INTERNAL


def _tell(log: Log, text: str) -> None:
    """Nothing runs any more, so that a log which takes no line is no reason for another exit code."""
    with suppress(ConfigurationError):
        log.write(Level.ERROR, text)


def prepare_process() -> int:
    """Descriptors and umask that do not depend on the caller: none beside the three, and these three are open.

    Gives the umask of the caller.
    """
    umask = os.umask(0o077)
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            os.set_inheritable(descriptor, True)
    for name in os.listdir("/proc/self/fd"):  # a range of all there may be takes minutes where the kernel does not help
        if int(name) > _STDERR:
            with suppress(OSError):  # the listing itself is over
                os.close(int(name))
    return umask


def _read_conf(configuration: str, caller: Caller) -> GlexecConf:
    octets = read_site_file(configuration, owners(caller), glexec_conf.MAX_LENGTH)
    return parse_glexec_conf(_text(octets, configuration), configuration)


def _text(octets: bytes, file: str) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 at octet {error.start}") from None


def _here() -> str:
    try:
        return os.getcwd()
    except OSError as error:
        raise ClientError(f"the current directory is gone: {error.strerror}") from error


class _Run:
    """Holds what every step looks at; nothing of it changes."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        caller: Caller,
        conf: GlexecConf,
        *,
        umask: int,
        log: Log,
        policy_log: Log,
    ) -> None:
        self._command, *self._arguments = arguments
        self._environment = environment
        self._caller = caller
        self._conf = conf
        self._umask = _UMASK if caller.changes_identity else umask
        self._log = log
        self._policy_log = policy_log
        self._now = datetime.now(UTC)

    def payload(self) -> int:
        """Raises ArgusError: whatever keeps the payload from running."""
        for warning in self._conf.warnings:
            self._log.write(Level.WARNING, warning)
        self._check_white_list()
        verifies = self._verifies()
        file, policy = self._read_policy(verifies)
        octets, proxy = self._read_payload_proxy()
        command = self._find_command()
        mapped = self._mapped(file, policy, proxy)
        caller = self._caller.identity
        if verifies and mapped.user.uid != caller.user.uid:
            raise NotAuthorized(f"the policy leads to {mapped.user.name}, and the caller is {caller.user.name}")
        changes = self._caller.changes_identity
        target = mapped if changes else caller
        copy = self._copy_proxy(octets, target)
        environment = payload_environment(self._environment, self._conf.preserve_env_variables, target.user.home, copy)
        self._log.write(Level.NOTICE, self._start_line(command, proxy, mapped))
        directory = self._environment.get(TARGET_DIR)
        payload = Payload(command, self._arguments, environment, target if changes else None, directory, self._umask)
        start = payloads.linger if self._conf.linger else payloads.become
        return start(payload, self._log)

    def _check_white_list(self) -> None:
        name = self._caller.user.name
        if not self._conf.user_white_list.admits(name):
            raise NotAuthorized(f"the account {name} is not on the user_white_list")

    def _verifies(self) -> bool:
        """Whether the account is only compared with the caller's."""
        mode = self._environment.get(MODE, _GET_ACCOUNT)
        if mode not in (_GET_ACCOUNT, _VERIFY_ACCOUNT):
            raise ClientError(f"{MODE} is {mode!r}; it is {_GET_ACCOUNT} or {_VERIFY_ACCOUNT}")
        return mode == _VERIFY_ACCOUNT

    def _read_policy(self, verifies: bool) -> tuple[PolicyFile, Policy]:
        path, conf = self._conf.lcmaps_db_file, self._conf
        octets = read_site_file(path, owners(self._caller), lcmaps_db.MAX_LENGTH)
        file = parse_lcmaps_db(_text(octets, path), path)
        name = conf.lcmaps_verify_account_policy if verifies else conf.lcmaps_get_account_policy
        policy = file.policies.get(name)
        if policy is None:
            raise ConfigurationError(f"{path} has no policy {name}")
        return file, policy

    # --- What the caller hands over

    def _read_payload_proxy(self) -> tuple[bytes, PayloadProxy]:
        """With all octets of the file, its key among them, from which the payload's copy is made."""
        path = self._environment.get(CLIENT_CERT)
        if not path:
            raise ClientError(f"{CLIENT_CERT} is not set: there is nobody to authorise")
        may_be_missing = self._conf.omission_private_key_white_list.admits(self._caller.user.name)
        octets = self._read_of_caller(path)
        return octets, read_payload_proxy(octets, path, self._now, key_may_be_missing=may_be_missing)

    def _read_of_caller(self, path: str) -> bytes:
        caller = self._caller
        with acting_as(caller.identity, changes_identity=caller.changes_identity):
            return read_proxy_file(path, caller.user.uid, self._conf.input_lock_mechanism, MAX_OCTETS)

    def _find_command(self) -> str:
        """What is plainly missing is the caller's mistake now; what only the payload may see, shows in the exec."""
        # The payload may begin in another directory.
        candidates = [self._command if self._command.startswith("/") else f"{_here()}/{self._command}"]
        searched = "/" not in self._command
        if searched:
            folders = self._environment.get("PATH", os.defpath).split(":")
            candidates = [f"{folder}/{self._command}" for folder in folders if folder.startswith("/")]
        reason = "No such file or directory"
        caller = self._caller
        with acting_as(caller.identity, changes_identity=caller.changes_identity):
            for candidate in candidates:
                problem = self._problem_of_command(candidate)
                if problem is None or (problem == _HIDDEN and not searched):
                    return candidate
                reason = problem
        raise ClientError(f"the command {self._command} cannot be executed: {reason}")

    def _problem_of_command(self, path: str) -> str | None:
        try:
            if self._conf.prohibit_exec_via_symlink and stat.S_ISLNK(os.lstat(path).st_mode):
                return "it is a symbolic link"
            mode = os.stat(path).st_mode
        except PermissionError:
            return _HIDDEN
        except (OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error)
        if not stat.S_ISREG(mode):
            return "it is not a regular file"
        return None if mode & 0o111 else "it is not executable"

    # --- The decision

    def _mapped(self, file: PolicyFile, policy: Policy, proxy: PayloadProxy) -> Identity:
        """Raises NotAuthorized: the policy, or the account it leads to."""
        node = WorkerNode(
            self._caller,
            self._environment.get(PILOT_PROXY) or None,
            self._conf.input_lock_mechanism,
            self._now,
            lambda text: self._policy_log.write(Level.WARNING, text),
        )
        outcome = run_policy(policy, load_plugins(file, policy, node), State(proxy))
        for step in outcome.steps:
            self._policy_log.write(Level.INFO if step.failure is None else Level.WARNING, f"{policy.name}: {step}")
        name = proxy.subject.oneline(escaped=False)
        state = outcome.state
        if state is None:
            raise NotAuthorized(f'LCMAPS failed for DN:"{name}" in the policy {policy.name}: {outcome.steps[-1]}')
        for notice in state.notices:
            self._policy_log.write(Level.NOTICE, notice)
        changes = self._caller.changes_identity
        if changes and self._conf.user_identity_switch_by is SwitchBy.LCMAPS and not state.enforced:
            raise ConfigurationError(
                f"user_identity_switch_by = lcmaps, but the policy {policy.name} has not run lcmaps_posix_enf"
            )
        identity = mapped_identity(state.account, user_of)
        self._policy_log.write(Level.NOTICE, final_line(state))
        return identity

    def _start_line(self, command: str, proxy: PayloadProxy, mapped: Identity) -> str:
        caller = self._caller.user
        account = f"{mapped.user.name} (uid {mapped.user.uid}, groups {','.join(map(str, mapped.groups))})"
        what = "runs as" if self._caller.changes_identity else "log only: runs as the caller, mapped to"
        return (
            f'payload of DN:"{proxy.subject.oneline(escaped=False)}" {what} {account}; '
            f"called by {caller.name} (uid {caller.uid}); command {command}"
        )

    # --- The proxy of the payload

    def _copy_proxy(self, octets: bytes, target: Identity) -> str | None:
        """Where the copy is; None: there is none. ``octets`` are the proxy that was authorised."""
        source = self._environment.get(SOURCE_PROXY)
        default = f"/tmp/x509up_u{target.user.uid}.glexec.{os.getpid()}"  # noqa: S108 - made as new file, by rename
        path = self._environment.get(TARGET_PROXY) or default
        if not self._conf.create_target_proxy or _NOTHING in (source, path):
            return None
        if source:
            octets = self._read_of_caller(source)
        with acting_as(target, changes_identity=self._caller.changes_identity):
            write_proxy_file(path, octets)
        return path
