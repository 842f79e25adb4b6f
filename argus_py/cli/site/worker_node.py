"""``argus site worker-node``: what a worker node needs to run payloads through ``argus-glexec``.

No program gets the setuid bit: the pilots call ``argus-glexec`` by a rule of sudo, or, where only the decision is to be
logged, as themselves. Python is started isolated, so that nothing in the environment of a pilot tells it what to load.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from argus_py.cli.site.command import Call, Exit, add_map_files, add_writing
from argus_py.cli.site.files import NewFile, Plan, carry_out
from argus_py.config.yaim_maps import PILOT
from argus_py.errors import ConfigurationError
from argus_py.pep.mapping.map_file import MapFile
from argus_py.store.mapfiles import load_map_file
from argus_py.worker.glexec_conf import is_hostile, parse_glexec_conf
from argus_py.worker.lcmaps_db import parse_lcmaps_db

_MAX_URL: Final = 256  # characters, to the plug-in
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._+@-]*")  # needs no escapes in sudoers, the LCMAPS file and a shell
_URL = re.compile(r"https://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9/._~-]*)?")
_ACCOUNT = re.compile(r"\.?[A-Za-z_][A-Za-z0-9_.-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_GLEXEC_CONF: Final = """\
# Made by argus site worker-node: who may run payloads, and how.
[glexec]
user_white_list = {white_list}
user_identity_switch_by = {switch_by}
use_lcas = no
lcmaps_db_file = {lcmaps_db}
lcmaps_get_account_policy = glexec_get_account
{logs}
linger = yes
{preserve}create_target_proxy = yes
input_lock_mechanism = flock
target_lock_mechanism = flock
"""

_VERIFY_PROXY: Final = """\
path = /usr/lib64/lcmaps

verify_proxy = "lcmaps_verify_proxy.mod"
               " -certdir {trust_dir}"
               " --allow-limited-proxy"
"""

_PEPC: Final = """\
pepc         = "lcmaps_c_pep.mod"
{endpoints}               " -resourceid http://authz-interop.org/xacml/resource/resource-type/wn"
               " -actionid http://glite.org/xacml/action/execute"
               " -capath {trust_dir}"
               " -pep-certificate-mode implicit"
"""

_IDENTITY_CHANGING: Final = """\
posix_enf    = "lcmaps_posix_enf.mod" " -maxuid 1" " -maxpgid 1" " -maxsgid 32"

glexec_get_account:
verify_proxy -> pepc
pepc -> posix_enf
"""

_LOG_ONLY: Final = """\

glexec_get_account:
verify_proxy -> pepc
"""

_BANS_ALONE: Final = """\
ban_dn       = "lcmaps_ban_dn.mod"   " -banmapfile {ban_file}"
ban_fqan     = "lcmaps_ban_fqan.mod" " -banmapfile {ban_file}"
good         = "lcmaps_dummy_good.mod" " --dummy-username nobody --dummy-group {group} --dummy-sec-group {group}"

glexec_get_account:
verify_proxy -> ban_dn
ban_dn -> ban_fqan
ban_fqan -> good
"""

_SUDO_RULE: Final = """\
# Made by argus site worker-node: pilots run payloads under the accounts of their users.
# {program} decides by {glexec_conf} and Argus; its white list names the pilots once more.
# Of their environment nothing comes through but what tells it the proxies.
Cmnd_Alias ARGUS_GLEXEC = {program}
Defaults!ARGUS_GLEXEC env_reset, !setenv, !requiretty, !use_pty
Defaults!ARGUS_GLEXEC env_keep = "{environment}"
Defaults!ARGUS_GLEXEC secure_path = "/usr/sbin:/usr/bin:/sbin:/bin"
{groups} ALL = (root) NOPASSWD: ARGUS_GLEXEC
"""

_PROGRAM: Final = """\
#!{python} -I
# Made by argus site worker-node. Isolated: no variable and no folder of the caller tells Python what to load.
import sys

from argus_py.cli.glexec import main

sys.exit(main(configuration="{glexec_conf}"))
"""

_COMMAND: Final = """\
#!/bin/sh
# Made by argus site worker-node, for pilots that call glexec by its old name.
exec {call} "$@"
"""


class UnusableValue(ConfigurationError):
    """``text`` cannot be used as ``what``."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__(f"{text!r} cannot be used as {what}")
        self.what = what
        self.text = text


class NoPilots(ConfigurationError):
    """Nobody would be on the white list, or have the rule of sudo."""

    def __init__(self, option: str, file: Path) -> None:
        super().__init__(f"no pilots are known: {file} has no line for Role={PILOT}; name them with {option}")
        self.option = option
        self.file = file


class NoLogFiles(ConfigurationError):
    """A log file belongs to root, and where only the decision is logged, gLExec runs as each of the pilots."""

    def __init__(self) -> None:
        super().__init__("--log-dir is for worker nodes that change the identity: pilots can write to syslog alone")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument(
        "--endpoint",
        action="append",
        metavar="URL",
        help="of a PEP daemon, https://argus.example.org:8154/authz; several are asked in the order given",
    )
    how.add_argument(
        "--ban-file",
        type=Path,
        metavar="FILE",
        help="no Argus: refuse who is in this ban file of LCMAPS, log the others; see pap-admin export-bans",
    )
    parser.add_argument("--log-only", action="store_true", help="payloads keep the account of the pilot")
    parser.add_argument(
        "--white-list", action="append", metavar="NAME", help="account or .pool of pilots, default: by --grid-mapfile"
    )
    parser.add_argument(
        "--pilot-group", action="append", metavar="NAME", help="group of pilots, for sudo, default: by --group-mapfile"
    )
    add_map_files(parser)
    parser.add_argument(
        "--preserve-env", action="append", default=[], metavar="NAME", help="a variable that payloads keep"
    )
    parser.add_argument("--log-dir", type=Path, metavar="DIR", help="for log files, default: syslog; not to log only")
    for option, default, what in (
        ("--trust-dir", "/etc/grid-security/certificates", "CA certificates"),
        ("--glexec-conf", "/etc/glexec.conf", "to be written"),
        ("--lcmaps-db", "/etc/lcmaps/lcmaps-glexec.db", "to be written"),
        ("--sudo-rule", "/etc/sudoers.d/argus-glexec", "to be written"),
        ("--program", "/usr/sbin/argus-glexec", "to be written: argus-glexec in an isolated Python"),
        ("--command", "/usr/sbin/glexec", "to be written: what pilots call"),
    ):
        parser.add_argument(option, type=Path, default=Path(default), metavar="PATH", help=f"{what}, default {default}")
    add_writing(parser)


def worker_node(call: Call) -> Exit:
    """Raises ConfigurationError: a value cannot be used, or there are no pilots; FilesExist; OSError."""
    arguments = call.arguments
    log_only = arguments.log_only or arguments.ban_file is not None
    if log_only and arguments.log_dir is not None:
        raise NoLogFiles
    files = [
        NewFile(arguments.glexec_conf, _glexec_conf(call, log_only), 0o644 if log_only else 0o640),
        NewFile(arguments.lcmaps_db, _lcmaps_db(call, log_only)),
        NewFile(arguments.program, _program(call), 0o755),
        NewFile(arguments.command, _command(call, log_only), 0o755),
    ]
    if not log_only:
        files.append(NewFile(arguments.sudo_rule, _sudo_rule(call), 0o440))
    parse_glexec_conf(files[0].text, str(arguments.glexec_conf))
    parse_lcmaps_db(files[1].text, str(arguments.lcmaps_db))
    carry_out(call, Plan(tuple(files)))
    if log_only and arguments.sudo_rule.exists():
        call.warn(f"warning: {arguments.sudo_rule} is there and not needed to log only: remove it")
    return Exit.FINE


def _glexec_conf(call: Call, log_only: bool) -> str:
    arguments = call.arguments
    preserved = _preserved(call)
    return _GLEXEC_CONF.format(
        white_list=", ".join(_white_list(call)),
        switch_by="glexec" if log_only else "lcmaps",
        lcmaps_db=_plain(arguments.lcmaps_db),
        logs="log_destination = syslog" if arguments.log_dir is None else _log_files(_plain(arguments.log_dir)),
        preserve=f"preserve_env_variables = {', '.join(preserved)}\n" if preserved else "",
    )


def _log_files(folder: Path) -> str:
    return f"log_destination = file\nlog_file = {folder}/glexec.log\nlcmaps_log_file = {folder}/lcas_lcmaps.log"


def _lcmaps_db(call: Call, log_only: bool) -> str:
    arguments = call.arguments
    head = _VERIFY_PROXY.format(trust_dir=_plain(arguments.trust_dir))
    if arguments.ban_file is not None:
        return head + _BANS_ALONE.format(ban_file=_plain(arguments.ban_file), group=_group_of_nobody(call))
    endpoints = "".join(f'               " --pep-daemon-endpoint-url {_url(url)}"\n' for url in arguments.endpoint)
    pepc = _PEPC.format(endpoints=endpoints, trust_dir=_plain(arguments.trust_dir))
    return head + pepc + (_LOG_ONLY if log_only else _IDENTITY_CHANGING)


def _group_of_nobody(call: Call) -> str:
    """It has another name on Debian than elsewhere."""
    return next((name for name in ("nobody", "nogroup") if call.host.gid_of(name) is not None), "nobody")


def _sudo_rule(call: Call) -> str:
    arguments = call.arguments
    if not re.fullmatch(r"[A-Za-z0-9_-]+", arguments.sudo_rule.name):
        raise UnusableValue(
            "the name of a rule: sudo passes over files with dots in their names", arguments.sudo_rule.name
        )
    groups = arguments.pilot_group or _pilot_groups(call)
    for group in groups:
        if group.startswith(".") or not _ACCOUNT.fullmatch(group):
            raise UnusableValue("a group", group)
    return _SUDO_RULE.format(
        program=_plain(arguments.program),
        glexec_conf=_plain(arguments.glexec_conf),
        environment=" ".join(("GLEXEC_*", "X509_USER_PROXY", *_preserved(call))),
        groups=", ".join(f"%{group}" for group in groups),
    )


def _program(call: Call) -> str:
    return _PROGRAM.format(python=_plain(Path(sys.executable)), glexec_conf=_plain(call.arguments.glexec_conf))


def _command(call: Call, log_only: bool) -> str:
    program = _plain(call.arguments.program)
    return _COMMAND.format(call=program if log_only else f"sudo -n -- {program}")


def _white_list(call: Call) -> Sequence[str]:
    arguments = call.arguments
    names: Sequence[str] = arguments.white_list or _pilot_accounts(call)
    for name in names:
        if not _ACCOUNT.fullmatch(name):
            raise UnusableValue("an account or a .pool", name)
    return names


def _pilot_accounts(call: Call) -> tuple[str, ...]:
    file = call.arguments.grid_mapfile
    accounts = pilot_targets(load_map_file(file, call.host.now).current.value)
    if not accounts:
        raise NoPilots("--white-list", file)
    return accounts


def _pilot_groups(call: Call) -> tuple[str, ...]:
    file = call.arguments.group_mapfile
    groups = pilot_targets(load_map_file(file, call.host.now).current.value)
    if not groups:
        raise NoPilots("--pilot-group", file)
    return groups


def pilot_targets(map_file: MapFile) -> tuple[str, ...]:
    """What the lines for pilot roles lead to, each once."""
    entries = (entry for entry in map_file.entries if entry.pattern is not None and entry.pattern.role == PILOT)
    return tuple(dict.fromkeys(entry.targets[0] for entry in entries))


def _preserved(call: Call) -> list[str]:
    names: list[str] = call.arguments.preserve_env
    for name in names:
        if not _VARIABLE.fullmatch(name) or is_hostile(name):
            raise UnusableValue("a variable that payloads keep", name)
    return names


def _plain(path: Path) -> Path:
    absolute = path.absolute()
    if not _PLAIN_PATH.fullmatch(str(absolute)):
        raise UnusableValue("a path in these files", str(absolute))
    return absolute


def _url(text: str) -> str:
    try:
        usable = len(text) <= _MAX_URL and _URL.fullmatch(text) and urlsplit(text).port is not None
    except ValueError:
        usable = False
    if not usable:
        raise UnusableValue("the URL of a PEP daemon, such as https://argus.example.org:8154/authz", text)
    return text
