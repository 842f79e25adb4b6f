import pytest

from argus_py.worker.account_list import AccountList
from argus_py.worker.errors import GlexecConfError
from argus_py.worker.glexec_conf import MAX_LENGTH, GlexecConf, Lock, LogDestination, SwitchBy, parse_glexec_conf

FULL = """\
# made by hand
[glexec]
user_white_list              = .dtplt, tomcat
user_identity_switch_by      = lcmaps   # by posix_enf
lcmaps_db_file               = /etc/lcmaps/lcmaps-glexec.db
lcmaps_log_file              = /var/log/glexec/lcas_lcmaps.log
lcmaps_get_account_policy    = get
lcmaps_verify_account_policy = verify
lcmaps_debug_level           = 0
lcmaps_log_level             = 1
use_lcas                     = no
lcas_db_file                 = /etc/lcas/lcas-glexec.db
lcas_log_file                = /var/log/glexec/lcas_lcmaps.log
lcas_debug_level             = 0
lcas_log_level               = 1
log_level                    = 5
log_destination              = file
log_file                     = /var/log/glexec/glexec.log
silent_logging               = yes
linger                       = no
preserve_env_variables       = PATH, LANG
input_lock_mechanism         = disabled
target_lock_mechanism        = fcntl
create_target_proxy          = no
omission_private_key_white_list = tomcat
prohibit_exec_via_symlink    = yes
pedantic_security_checks     = no
"""


def test_every_key_is_read() -> None:
    assert parse_glexec_conf(FULL, "glexec.conf") == GlexecConf(
        user_white_list=AccountList(frozenset({"tomcat"}), frozenset({"dtplt"})),
        user_identity_switch_by=SwitchBy.LCMAPS,
        lcmaps_db_file="/etc/lcmaps/lcmaps-glexec.db",
        lcmaps_log_file="/var/log/glexec/lcas_lcmaps.log",
        lcmaps_get_account_policy="get",
        lcmaps_verify_account_policy="verify",
        lcmaps_debug_level=0,
        lcmaps_log_level=1,
        log_level=5,
        log_destination=LogDestination.FILE,
        log_file="/var/log/glexec/glexec.log",
        silent_logging=True,
        linger=False,
        preserve_env_variables=("PATH", "LANG"),
        input_lock_mechanism=Lock.DISABLED,
        create_target_proxy=False,
        omission_private_key_white_list=AccountList(frozenset({"tomcat"})),
        prohibit_exec_via_symlink=True,
    )


def test_newer_level_of_lcmaps_counts_before_the_older() -> None:
    assert parse_glexec_conf("[glexec]\nlcmaps_debug_level = 5\nlcmaps_log_level = 1", "f").policy_log_level == 1
    assert parse_glexec_conf("[glexec]\nlcmaps_debug_level = 5", "f").policy_log_level == 5


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("log_level = 6", "log_level: '6' is no level from 0 to 5"),
        ("linger = maybe", "linger: 'maybe' is neither yes nor no"),
        ("log_destination = printer", "log_destination: 'printer' is none of syslog, file"),
        ("log_file = glexec.log", "log_file: 'glexec.log' is no absolute path"),
        ("input_lock_mechanism = nfs", "input_lock_mechanism: 'nfs' is none of flock, fcntl, disabled"),
        ("user_white_list = %pilots", "user_white_list: '%pilots' is neither"),
        ("use_lcas = yes", "use_lcas: LCAS is not part of this program"),
        ("preserve_env_variables = A=B", "preserve_env_variables: 'A=B' is no name"),
        ("lcmaps_get_account_policy = a b", "lcmaps_get_account_policy: 'a b' is no name of a policy"),
        ("user_identity_switch_by =", "user_identity_switch_by: '' is none of lcmaps, glexec"),
        ("linger", "'linger' is neither"),
        ("[glexec", "'[glexec' is no section"),
    ],
)
def test_wrong_value_is_refused_with_file_line_and_key(line: str, reason: str) -> None:
    with pytest.raises(GlexecConfError) as refused:
        parse_glexec_conf(f"[glexec]\n\n{line}\n", "/etc/glexec.conf")
    assert str(refused.value).startswith(f"/etc/glexec.conf: line 3: {reason}")


def test_key_that_is_given_twice_is_refused() -> None:
    with pytest.raises(GlexecConfError, match=r"line 3: linger: is given a second time"):
        parse_glexec_conf("[glexec]\nlinger = yes\nlinger = no\n", "f")


@pytest.mark.parametrize("text", ["", "# nothing", "linger = yes\n[glexec]\n", "[glexec]" + " " * MAX_LENGTH])
def test_file_without_section_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(GlexecConfError):
        parse_glexec_conf(text, "f")


def test_unknown_keys_sections_and_hostile_variables_are_warned_of() -> None:
    conf = parse_glexec_conf(
        "[glexec]\nsyslog_facility = x\npreserve_env_variables = LD_PRELOAD, PATH\n[other]\nlog_level = 9\n", "f"
    )
    assert conf.warnings == (
        "f: line 2: the key syslog_facility is not known and has no effect",
        "f: line 3: LD_PRELOAD is never handed on",
        "f: line 4: the section [other] is not known and passed over",
    )
