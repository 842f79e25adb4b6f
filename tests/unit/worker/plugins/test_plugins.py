"""Each plug-in alone: its options, what it adds, and how it refuses."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from argus_py.errors import ConfigurationError, Unavailable, Unmapped
from argus_py.hessian.values import HessianError
from argus_py.model.identifiers import AuthzInterop, Glite
from argus_py.model.response import AttributeAssignment, Decision, Effect, Obligation, Response, Result
from argus_py.worker.errors import ClientError, PolicyFileError
from argus_py.worker.pep_question import Wire
from argus_py.worker.plugins.plugin import PluginFailed
from argus_py.worker.ports import PepTls
from argus_py.worker.state import Account, Attributes, State

if TYPE_CHECKING:
    from tests.unit.worker.conftest import LoadPlugin, PaperNode

VERIFY = "lcmaps_verify_proxy.mod -certdir CERTIFICATES"
C_PEP = "lcmaps_c_pep.mod --pep-daemon-endpoint-url https://a.example.org:8154/authz -resourceid r -actionid a"
REST = f"{C_PEP.replace('/authz', '')} -wire rest"
StateOf = Callable[[str], State]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("lcmaps_scas_client.mod", "the plug-in lcmaps_scas_client of x is not known here"),
        ("lcmaps_verify_proxy.mod --only-enforce-lifetime-checks", "--only-enforce-lifetime-checks is not known"),
        ("lcmaps_verify_proxy.mod -certdir", "-certdir has no value"),
        ("lcmaps_verify_proxy.mod CERTIFICATES", "is no option"),
        ("lcmaps_verify_proxy.mod --allow-limited-proxy --require-limited-proxy", "contradict each other"),
        ("lcmaps_verify_proxy.mod --max-proxy-level-ttl=x 1:00", "the level is a number"),
        ("lcmaps_verify_proxy.mod --max-proxy-level-ttl=1 1h", "is no time of the form"),
        ("lcmaps_verify_proxy.mod --max-voms-ttl 1h", "is no time of the form"),
        ("lcmaps_dummy_good.mod --dummy-username nobody-here", "this machine does not know 'nobody-here'"),
        ("lcmaps_dummy_good.mod --dummy-uid 4294967295", "is no number of an account"),
        ("lcmaps_ban_dn.mod", "the option -banmapfile is missing"),
        ("lcmaps_posix_enf.mod -maxuid x", "'x' is no number"),
        ("lcmaps_posix_enf.mod -set_only_euid yes", "a way back to root"),
        ("lcmaps_posix_enf.mod -set_only_euid maybe", "neither yes nor no"),
        ("lcmaps_c_pep.mod -resourceid r -actionid a", "pep-daemon-endpoint-url is missing"),
        (C_PEP + " -resourcetype wn", "one of -resourceid and -resourcetype is needed"),
        (C_PEP.replace("-actionid a", ""), "one of -actionid and -actiontype"),
        (C_PEP.replace("-actionid a", "-actiontype fly"), "'fly' is none of execute-now"),
        (C_PEP.replace("-resourceid r", f"-resourceid {'r' * 513}"), "513 characters"),
        (C_PEP.replace("https:", "ftp:"), "is no http or https URL"),
        (C_PEP.replace("a.example.org:8154", "a.example.org:99999"), "is no http or https URL"),
        (C_PEP + f" --pep-daemon-endpoint-url https://a/{'a' * 256}", "is no http or https URL"),
        (C_PEP + " -pep-certificate-mode explicit", "the option -certificate is missing"),
        (C_PEP + " -pep-certificate-mode magic", "'magic' is none of implicit"),
        (C_PEP + " -check-certificates -no-check-certificates", "contradict"),
        (C_PEP + " -profile http://x", "'http://x' is none of"),
        (C_PEP + " -wire soap", "-wire: 'soap' is none of hessian, rest"),
        (C_PEP + " -wire rest", "leave the path out of https://a.example.org:8154/authz"),
        (REST + " -profile http://authz-interop.org/profile/1.1", "-wire rest: it has no other profile than"),
        (REST + " -no-check-certificates", "-wire rest: certificates are always checked"),
    ],
)
def test_options_that_are_not_known_or_wrong_refuse_the_file(load: "LoadPlugin", line: str, reason: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        load(line)
    assert reason in str(refused.value)
    assert str(refused.value).startswith("lcmaps.db: line 1: ")


# --- verify_proxy


@pytest.mark.parametrize(
    ("options", "proxy", "reason"),
    [
        ("", "alice-dteam", None),
        ("", "alice-legacy-limited", None),
        ("--disallow-limited-proxy", "alice-limited", "is a limited one"),
        ("--require-limited-proxy", "alice-limited", None),
        ("--require-limited-proxy", "alice-dteam", "is not a limited one"),
        ("--max-proxy-level-ttl=0 9999d-00:00", "alice-dteam-delegated", None),
        ("--max-proxy-level-ttl=0 1d-00:00", "alice-dteam-delegated", "of level 0 lives longer than 1 day"),
        ("--max-proxy-level-ttl=1 00:30", "alice-dteam-delegated", "of level 1 lives longer than 0:30"),
        ("--max-proxy-level-ttl=l 00:30", "alice-dteam-delegated", "of level 1 lives longer"),
        ("--max-proxy-level-ttl=2 00:30", "alice-dteam-delegated", None),
        ("--max-voms-ttl 9999d-00:00", "alice-dteam", None),
        ("--max-voms-ttl 00:30", "alice-dteam", "attribute certificate of dteam lives longer"),
    ],
)
def test_verify_proxy_proves_the_chain_and_its_lifetimes(
    load: "LoadPlugin", state_of: StateOf, options: str, proxy: str, reason: str | None
) -> None:
    plugin = load(f"{VERIFY} {options}")
    if reason is None:
        assert plugin.run(state_of(proxy)).verified is not None
        return
    with pytest.raises(PluginFailed, match=reason):
        plugin.run(state_of(proxy))


def test_verify_proxy_may_insist_on_the_private_key(load: "LoadPlugin", state_of: StateOf) -> None:
    state = state_of("alice-dteam")
    without = replace(state, proxy=replace(state.proxy, has_key=False))
    assert load(f"{VERIFY} --discard_private_key_absence").run(without).verified is not None
    with pytest.raises(PluginFailed, match="no private key"):
        load(f"{VERIFY} --never_discard_private_key_absence").run(without)


def test_verify_proxy_refuses_a_chain_of_an_unknown_ca(load: "LoadPlugin", state_of: StateOf, tmp_path: Path) -> None:
    with pytest.raises(PluginFailed, match="No trusted CA"):
        load(f"lcmaps_verify_proxy.mod -certdir {tmp_path}").run(state_of("alice-dteam"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(f"lcmaps_verify_proxy.mod -certdir {tmp_path}/missing").run(state_of("alice-dteam"))


# --- dummies, posix_enf


def test_dummy_good_gives_its_account_and_dummy_bad_fails(load: "LoadPlugin", state_of: StateOf) -> None:
    line = "lcmaps_dummy_good.mod --dummy-username nobody --dummy-gid 7 --dummy-group nobody --dummy-sec-group dteam"
    assert load(line).run(state_of("alice-dteam")).account == Account((65534,), (7, 65534), (30000,))
    assert load("lcmaps_dummy_good.mod").run(state_of("alice-dteam")).account == Account()
    with pytest.raises(PluginFailed):
        load("lcmaps_dummy_bad.mod").run(state_of("alice-dteam"))


@pytest.mark.parametrize(
    ("options", "account", "reason"),
    [
        ("", ((1,), (2,), ()), None),
        ("", ((1, 2), (2,), ()), "2 users were found, and 1 are allowed"),
        ("", ((1,), (2, 3), ()), "2 primary groups"),
        ("-maxsgid 1", ((1,), (2,), (3, 4)), "2 secondary groups"),
        ("-maxuid 2 -maxpgid 2 -maxsgid 2", ((1, 2), (2, 3), (3, 4)), None),
        ("", ((), (2,), ()), "no user or no primary group"),
    ],
)
def test_posix_enf_takes_no_more_than_allowed(
    load: "LoadPlugin",
    state_of: StateOf,
    options: str,
    account: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    reason: str | None,
) -> None:
    plugin, state = load(f"lcmaps_posix_enf.mod {options}"), state_of("alice-dteam").with_account(*account)
    if reason is None:
        assert plugin.run(state).enforced
        return
    with pytest.raises(PluginFailed, match=reason):
        plugin.run(state)


def test_posix_enf_fails_where_nobody_can_change_identities(
    load: "LoadPlugin", state_of: StateOf, node: "PaperNode"
) -> None:
    node.changes_identity = False
    with pytest.raises(PluginFailed, match="not started as root"):
        load("lcmaps_posix_enf.mod").run(state_of("alice-dteam").with_account((1,), (2,)))


# --- Bans

ALICE = "/DC=org/DC=argus-test/OU=People/CN=Alice Adams"


@pytest.mark.parametrize(
    ("ban", "banned"),
    [
        (f'"{ALICE}"', True),
        (f'"{ALICE}" .pool # why', True),
        (ALICE, True),
        (f"{ALICE}   # not quoted", True),
        ('"/DC=org/DC=argus-test/*"', True),
        ('"/dc=ORG/DC=argus-test/ou=people/CN=alice adams"', True),
        ('"/DC=org/DC=argus-test/OU=People/CN=Alice"', False),
        ('# "/DC=org/DC=argus-test/OU=People/CN=Alice Adams"', False),
        ("", False),
    ],
)
def test_ban_dn(load: "LoadPlugin", state_of: StateOf, node: "PaperNode", ban: str, banned: bool) -> None:
    node.files = {"/bans": f"{ban}\n"}
    plugin = load("lcmaps_ban_dn.mod -banmapfile /bans")
    if not banned:
        assert plugin.run(state_of("alice-dteam")) == state_of("alice-dteam")
        return
    with pytest.raises(PluginFailed, match="is banned by line 1 of /bans"):
        plugin.run(state_of("alice-dteam"))


def test_ban_without_wildcards_takes_a_star_for_a_star(
    load: "LoadPlugin", state_of: StateOf, node: "PaperNode"
) -> None:
    node.files = {"/bans": '"/DC=org/*"\n'}
    for option in ("-no_wildcard", "-disablewildcard"):
        assert load(f"lcmaps_ban_dn.mod -banmapfile /bans {option}").run(state_of("alice-dteam"))


def test_ban_list_that_is_missing_or_cannot_be_read_ends_everything(load: "LoadPlugin", node: "PaperNode") -> None:
    with pytest.raises(ConfigurationError, match="missing"):
        load("lcmaps_ban_dn.mod -banmapfile /bans")
    node.files = {"/bans": '"/DC=org\n'}
    with pytest.raises(ConfigurationError, match="not closed"):
        load("lcmaps_ban_fqan.mod -banmapfile /bans")


def with_attributes(load: "LoadPlugin", state: State) -> State:
    return load("lcmaps_voms.mod -vomsdir VOMSDIR -certdir CERTIFICATES").run(load(VERIFY).run(state))


@pytest.mark.parametrize(
    "ban",
    [
        *('"/dteam/Role=pilot"', '"/dteam"', '"/dteam*"', '"/dteam/Role=NULL/Capability=NULL"'),
        *('"/dteam/Role=pilot/*"', '"/dteam/Role=NULL*"', "/dteam/Role=pilot"),
    ],
)
def test_ban_fqan_looks_at_every_fqan(load: "LoadPlugin", state_of: StateOf, node: "PaperNode", ban: str) -> None:
    node.files = {"/bans": f"{ban}\n"}
    state = with_attributes(load, state_of("alice-dteam-pilot"))
    with pytest.raises(PluginFailed, match="is banned by line 1"):
        load("lcmaps_ban_fqan.mod -banmapfile /bans").run(state)


def test_fqans_count_only_behind_a_proven_chain(load: "LoadPlugin", state_of: StateOf, node: "PaperNode") -> None:
    node.files = {"/bans": "", "/etc/grid-security/grid-mapfile": f'"{ALICE}" dteam001\n'}
    for line in ("lcmaps_ban_fqan.mod -banmapfile /bans", "lcmaps_localaccount.mod", "lcmaps_poolaccount.mod"):
        with pytest.raises(PluginFailed, match="has not proven the proxy"):
            load(line).run(state_of("alice-dteam"))


def test_voms_proves_fqans_or_fails(load: "LoadPlugin", state_of: StateOf) -> None:
    found = with_attributes(load, state_of("alice-dteam-pilot")).attributes
    assert found is not None
    assert "/dteam/Role=pilot" in found.proven
    with pytest.raises(PluginFailed, match="no VOMS attributes"):
        with_attributes(load, state_of("alice-plain"))


def test_claims_that_are_not_proven_can_only_ban(
    load: "LoadPlugin", state_of: StateOf, node: "PaperNode", tmp_path: Path
) -> None:
    """Nobody vouches for the VOMS server of the claims."""
    node.files = {
        "/bans": '"/dteam/Role=pilot"\n',
        "/etc/grid-security/groupmapfile": '"/dteam*" dteam\n',
        "/etc/grid-security/grid-mapfile": '"/dteam*" dteam001\n',
    }
    with pytest.raises(PluginFailed, match="an attribute certificate of dteam does not count"):
        load(f"lcmaps_voms.mod -vomsdir {tmp_path} -certdir CERTIFICATES").run(
            load(VERIFY).run(state_of("alice-dteam-pilot"))
        )
    claimed = Attributes(claimed=("/dteam/Role=pilot",), problems=("why",))
    state = replace(load(VERIFY).run(state_of("alice-dteam-pilot")), attributes=claimed)
    with pytest.raises(PluginFailed, match="/dteam/Role=pilot is banned"):
        load("lcmaps_ban_fqan.mod -banmapfile /bans").run(state)
    for line in ("lcmaps_voms_localgroup.mod", "lcmaps_voms_localaccount.mod -do_not_require_primary_gid"):
        with pytest.raises(PluginFailed):
            load(line).run(state)


# --- c_pep


def permit(user: str, *groups: str) -> Response:
    pairs = [(Glite.USER_ID, user), *((Glite.PRIMARY_GROUP_ID, group) for group in groups[:1])]
    pairs += [(Glite.GROUP_ID, group) for group in groups]
    assignments = tuple(AttributeAssignment(name, value) for name, value in pairs)
    return Response(
        (
            Result(
                Decision.PERMIT,
                obligations=(Obligation(Glite.LOCAL_ENVIRONMENT_MAP_POSIX, Effect.PERMIT, assignments),),
            ),
        )
    )


def test_c_pep_takes_the_account_that_argus_names(load: "LoadPlugin", state_of: StateOf, node: "PaperNode") -> None:
    node.answer, node.pilot = permit("dteam001", "dteampilot", "dteam"), "PILOT"
    line = f"{C_PEP} --pep-daemon-endpoint-url http://b/authz -use-pilot-proxy-as-cafile -capath /cas"
    assert load(line).run(state_of("alice-dteam")).account == Account((41001,), (30001,), (30000,))
    [(endpoints, question, tls, wire)] = node.asked
    assert wire is Wire.HESSIAN
    request = question.request()
    assert endpoints == ("https://a.example.org:8154/authz", "http://b/authz")
    assert tls == PepTls(ca_directory="/cas", pilot=True)
    assert "PRIVATE" not in str(request)
    assert "PILOT" in str(request.environment)


@pytest.mark.parametrize(
    ("options", "tls"),
    [
        ("", PepTls(ca_directory="/etc/grid-security/certificates", pilot=True)),
        ("-cafile /ca.pem", PepTls(ca_file="/ca.pem", pilot=True)),
        ("-pep-certificate-mode none -no-check-certificates -capath /c", PepTls(ca_directory="/c", check=False)),
        (
            "-capath /c -pep-certificate-mode explicit -certificate /h.pem -key /h.key -passfile /pass",
            PepTls(ca_directory="/c", certificate="/h.pem", private_key="/h.key", password="secret"),
        ),
        ("-capath /c -certificate /h.pem", PepTls(ca_directory="/c", certificate="/h.pem", private_key="/h.pem")),
    ],
)
def test_c_pep_meets_argus_as_its_options_say(
    load: "LoadPlugin", state_of: StateOf, node: "PaperNode", options: str, tls: PepTls
) -> None:
    node.answer, node.files = permit("dteam001", "dteam"), {"/pass": "secret\n"}
    load(f"{C_PEP} {options}").run(state_of("alice-dteam"))
    assert node.asked[0][2] == tls


def test_c_pep_asks_the_same_question_over_rest(load: "LoadPlugin", state_of: StateOf, node: "PaperNode") -> None:
    node.answer, node.pilot = permit("dteam001", "dteam"), "PILOT"
    assert load(REST).run(state_of("alice-dteam")) == load(C_PEP).run(state_of("alice-dteam"))
    (rest, hessian) = node.asked
    assert rest == (("https://a.example.org:8154",), *hessian[1:3], Wire.REST)


def test_c_pep_knows_types_and_the_other_profile(load: "LoadPlugin", state_of: StateOf, node: "PaperNode") -> None:
    node.answer = permit("dteam001", "dteam")
    line = C_PEP.replace("-resourceid r", "-resourcetype wn").replace("-actionid a", "-actiontype execute-now")
    load(f"{line} -profile http://authz-interop.org/profile/1.1").run(state_of("alice-dteam"))
    request = node.asked[0][1].request()
    assert request.resources[0].attributes[0].values == (f"{AuthzInterop.RESOURCE_TYPE}wn",)
    assert request.action is not None
    assert request.action.attributes[0].values == (f"{AuthzInterop.ACTION_TYPE}execute-now",)
    assert request.subjects[0].attributes[0].id == AuthzInterop.CERT_CHAIN


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (permit("nobody-here", "dteam"), "does not know the account 'nobody-here'"),
        (permit("dteam001", "dteam", "nogroup-here"), "does not know the group 'nogroup-here'"),
        (Response((Result(Decision.DENY),)), "Argus answers Deny"),
        (Response((Result(Decision.PERMIT),)), "permits without mapping"),
        (Unavailable("no answer from Argus"), "no answer from Argus"),
        (HessianError("cut", 7), "the answer of Argus cannot be read"),
    ],
)
def test_c_pep_fails_for_everything_else(
    load: "LoadPlugin", state_of: StateOf, node: "PaperNode", answer: Response | Exception, reason: str
) -> None:
    node.answer = answer
    with pytest.raises(PluginFailed, match=reason):
        load(C_PEP).run(state_of("alice-dteam"))


def test_c_pep_tells_the_caller_about_his_own_proxy(load: "LoadPlugin", state_of: StateOf, node: "PaperNode") -> None:
    node.answer = ClientError("X509_USER_PROXY is not set")
    with pytest.raises(ClientError):
        load(C_PEP).run(state_of("alice-dteam"))


# --- Accounts by the DN

MAPS = {"/etc/grid-security/grid-mapfile": f'"{ALICE}" .dteam,dteam001\n"/DC=org/DC=argus-test/*" nobody\n'}


def test_localaccount_and_poolaccount_take_their_kind_of_target(
    load: "LoadPlugin", state_of: StateOf, node: "PaperNode"
) -> None:
    node.files = MAPS
    state = load(VERIFY).run(state_of("alice-dteam"))
    account = Account((41001,), (30000,), (30000,))
    assert load("lcmaps_localaccount.mod").run(state).account == account
    assert load("lcmaps_poolaccount.mod -gridmapdir /gmd").run(state).account == account
    assert [(gridmapdir, groups, pool) for gridmapdir, _, groups, pool in node.leased] == [("/gmd", (), "dteam")]
    bob = load(VERIFY).run(state_of("bob-dteam"))
    assert load("lcmaps_localaccount.mod").run(bob).account.uids == (65534,)
    with pytest.raises(PluginFailed, match="has no pool"):
        load("lcmaps_poolaccount.mod").run(bob)
    with pytest.raises(PluginFailed, match="has no account"):
        load("lcmaps_localaccount.mod -no_wildcard").run(bob)


def test_pool_that_gives_no_account_is_a_failure(load: "LoadPlugin", state_of: StateOf, node: "PaperNode") -> None:
    node.files = MAPS
    state = load(VERIFY).run(state_of("alice-dteam"))
    for node.account in (Unmapped("exhausted"), Unavailable("gone"), "dteam999"):
        with pytest.raises(PluginFailed):
            load("lcmaps_poolaccount.mod").run(state)


def test_pool_options_that_mean_something_else_are_refused(load: "LoadPlugin", node: "PaperNode") -> None:
    node.files = MAPS
    load("lcmaps_poolaccount.mod -strict_poolprefix_match yes -max_mappings_per_credential 1")
    for option in ("-strict_poolprefix_match no", "-override_inconsistency"):
        with pytest.raises(PolicyFileError):
            load(f"lcmaps_poolaccount.mod {option}")
