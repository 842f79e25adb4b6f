"""Commands about paps: which there are, where they come from, in which order, and how often they are fetched.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/papmanagement/
"""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import Call, Command, Exit, any_words, words
from argus_py.cli.pap_admin.service import PapLost, Refused
from argus_py.errors import ArgusError
from argus_py.pap.paps import DEFAULT_ALIAS, Pap, Remote

_LOCAL: Final = Remote("localhost")  # COMPAT: a local pap is shown with the place of the services it is reached by
_ENDPOINT: Final = re.compile(
    r"(?:(?P<protocol>[^:/]*)://)?(?P<host>\[[^]]*\]|[^:/]*)(?::(?P<port>[^/]*))?(?P<path>/.*)?", re.DOTALL
)
_INTEGER: Final = re.compile(r"[0-9]{1,9}")
_PADDING: Final = " " * 12


def parse_endpoint(text: str, dn: str | None) -> Remote:
    """``[protocol://]host[:port][/path]``; what is left out is as usual.

    >>> parse_endpoint("pap.example.org", None).endpoint
    'https://pap.example.org:8150/pap/services/'

    Raises ParseError.
    """
    found = _ENDPOINT.fullmatch(text)
    if found is None or not found["host"]:
        raise ParseError(f"Invalid endpoint: {text}")
    usual = Remote(found["host"], dn=dn)
    port = found["port"]
    if port is not None and not (_INTEGER.fullmatch(port) and 0 < int(port) < 65536):
        raise ParseError(f"Invalid port number: {port}")
    return replace(
        usual,
        port=usual.port if port is None else int(port),
        path=found["path"] or usual.path,
        protocol=found["protocol"] or usual.protocol,
    )


def _ping(call: Call) -> Exit:
    if call.as_json:
        call.say_json({"url": call.url, "version": call.pap.ping()})
        return Exit.SUCCESS
    call.say(f'Contacting PAP at "{call.url}"... ', end="")
    call.say(f"ok (PAP version: {call.pap.ping()})")
    return Exit.SUCCESS


def _test_client(call: Call) -> Exit:
    answer = call.pap.provision(call.arguments.has("pdp"))
    if call.verbose:
        call.say(answer, end="")
    return Exit.SUCCESS


def _check_settings(given: Arguments) -> None:
    if len(given.words) not in (1, 3):
        raise ParseError("Wrong number of arguments")
    if given.has("local") and given.has("remote"):
        raise ParseError("Specify one of --local and --remote.")
    if given.has("remote") and len(given.words) != 3:
        raise ParseError("A remote pap needs an endpoint and a DN.")
    if len(given.words) == 3:
        parse_endpoint(given.words[1], None)


def _pap_of(given: Arguments) -> Pap:
    """Disabled."""
    alias, *place = given.words
    remote = parse_endpoint(place[0], place[1]) if place and not given.has("local") else None
    return Pap("", alias, public=given.has("public") and not given.has("private"), remote=remote)


def _add(call: Call) -> Exit:
    pap = _pap_of(call.arguments)
    if call.pap.has_pap(pap.alias) or not call.pap.add_pap(pap):
        call.say("pap already exists.")
        return Exit.FAILURE
    call.say_if_verbose(f"Adding pap: {_block(pap, _PADDING)}")
    return _fetch(call, pap, "Error: pap successfully added but cannot retrieve policies.")


def _update(call: Call) -> Exit:
    """BETTER: what is enabled stays so; the Java client disables each pap that it updates."""
    there = call.pap.pap(call.words[0])
    if there is None:
        call.say("PAP doesn't exists.")
        return Exit.FAILURE
    wanted = _pap_of(call.arguments)
    pap = replace(there, public=wanted.public, remote=wanted.remote)
    if not call.pap.update_pap(pap):
        call.say("PAP doesn't exists.")
        return Exit.FAILURE
    call.say_if_verbose(f"Updating PAP: {_block(pap, _PADDING)}")
    return _fetch(call, pap, "Error: pap information successfully updated but cannot retrieve policies.")


def _fetch(call: Call, pap: Pap, failed: str) -> Exit:
    if pap.is_local or call.arguments.has("no-policies") or call.is_dry_run:
        return Exit.SUCCESS
    if call.verbose:
        call.say("Retrieving policies... ", end="")
    try:
        call.pap.refresh(pap.alias)
    except (Refused, PapLost) as error:
        call.say_if_verbose("")  # the end of the line that has begun
        call.say(f"{failed}\n{error}")
        return Exit.REMOTE_EXCEPTION
    call.say_if_verbose("ok.")
    return Exit.SUCCESS


def _known(call: Call) -> str | None:
    """The alias that is given, if there is such a pap; else it is told that there is none."""
    alias = call.words[0]
    if call.pap.has_pap(alias):
        return alias
    call.say(f"PAP not found: {alias}")
    return None


def _remove(call: Call) -> Exit:
    alias = _known(call)
    if alias is None:
        return Exit.FAILURE
    call.pap.remove_pap(alias)
    return Exit.SUCCESS


def _enable(call: Call) -> Exit:
    return _switch(call, enabled=True)


def _disable(call: Call) -> Exit:
    return _switch(call, enabled=False)


def _switch(call: Call, *, enabled: bool) -> Exit:
    alias = _known(call)
    if alias is None:
        return Exit.FAILURE
    call.pap.set_enabled(alias, enabled)
    return Exit.SUCCESS


def _list(call: Call) -> Exit:
    paps = call.pap.paps()
    if call.as_json:
        call.say_json({"paps": [_as_value(pap) for pap in paps]})
        return Exit.SUCCESS
    for pap in paps:
        call.say(_block(pap) if call.arguments.has("long") else _line(pap))
    return Exit.SUCCESS


def _line(pap: Pap) -> str:
    enabled, public = _states(pap)
    if pap.remote is None:
        return f"alias = {pap.alias} (local, {enabled}, {public})"
    return f"alias = {pap.alias} (remote, {enabled}, {public}, {pap.remote.endpoint})"


def _block(pap: Pap, padding: str = "    ") -> str:
    at = pap.remote or _LOCAL
    lines = [
        f"alias={pap.alias}",
        f"isLocal={str(pap.is_local).lower()}",
        f"visibility={_states(pap)[1]}",
        f"enabled={str(pap.enabled).lower()}",
        *([] if at.dn is None else [f"dn={at.dn}"]),
        f"endpoint={at.endpoint}",
    ]
    return f"\n{padding}".join(lines) + "\n"


def _states(pap: Pap) -> tuple[str, str]:
    return "enabled" if pap.enabled else "disabled", "public" if pap.public else "private"


def _as_value(pap: Pap) -> dict[str, Any]:
    return {
        "alias": pap.alias,
        "local": pap.is_local,
        "enabled": pap.enabled,
        "public": pap.public,
        "endpoint": None if pap.remote is None else pap.remote.endpoint,
        "dn": None if pap.remote is None else pap.remote.dn,
    }


def _refresh(call: Call) -> Exit:
    aliases = call.words or tuple(pap.alias for pap in call.pap.paps() if not pap.is_local)
    if not aliases:
        call.say("No remote PAPs found.")
        return Exit.SUCCESS
    fresh = [_refreshed(call, alias) for alias in aliases]
    if all(fresh):
        return Exit.SUCCESS
    return Exit.PARTIAL_SUCCESS if any(fresh) else Exit.FAILURE


def _refreshed(call: Call, alias: str) -> bool:
    call.say(f'Refreshing cache for pap "{alias}"...', end="")
    try:
        found = call.pap.refresh(alias)
    except ArgusError as error:
        call.say(f"error: {error}")
        return False
    call.say(" ok." if found else " error: pap doesn't exist")
    return found


def _order(call: Call) -> Exit:
    aliases = call.pap.ordering()
    if call.as_json:
        call.say_json({"order": aliases})
    else:
        call.say(", ".join(aliases) or "No ordering has been defined")
    return Exit.SUCCESS


def _set_order(call: Call) -> Exit:
    if not call.words:
        call.say("Clearing current order definition")
    call.pap.set_ordering(call.words)
    return Exit.SUCCESS


def _interval(call: Call) -> Exit:
    seconds = call.pap.polling_interval() // timedelta(seconds=1)
    if call.as_json:
        call.say_json({"seconds": seconds})
    else:
        call.say(f"Polling interval in seconds: {seconds}")
    return Exit.SUCCESS


def _set_interval(call: Call) -> Exit:
    (text,) = call.words
    if not _INTEGER.fullmatch(text):
        call.say(f'Invalid number: "{text}". Specify the new polling interval (integer number) in seconds.')
        return Exit.PARSE_ERROR  # COMPAT: the only one that is told on stdout
    call.pap.set_polling_interval(timedelta(seconds=int(text)))
    return Exit.SUCCESS


_SETTINGS = (
    Option(("-l", "--local"), "a local pap, edited here"),
    Option(("--remote",), "a remote pap, copied from its endpoint"),
    Option(("--public",), "other PAPs may see its policies"),
    Option(("--private",), "its policies are not for other PAPs (default)"),
    Option(("--no-policies",), "do not fetch the policies of a remote pap now"),
)
_CENTRAL = "central pap.example.org /DC=org/DC=example/CN=pap.example.org"

COMMANDS = (
    Command(
        ("ping",),
        "ping",
        "Say whether the PAP answers, and its version.",
        (),
        _ping,
        any_words,
        (("ping --host pap.example.org", "is the PAP of another host there?"),),
        tells=True,
    ),
    Command(
        ("test-client", "tc"),
        "test-client [options]",
        "Ask the PAP for its policies as another PAP does, or a PDP, and with -v show its answer.",
        (Option(("-pdp", "--pdp"), "as a PDP"),),
        _test_client,
        any_words,
        (("test-client -pdp -v", "what PDPs get"),),
    ),
    Command(
        ("add-pap", "apap"),
        "add-pap [options] <alias> [<endpoint> <dn>]",
        "Add a pap, disabled: a local one, or with an endpoint and a DN one that is copied from another PAP.",
        _SETTINGS,
        _add,
        _check_settings,
        ((f"add-pap {_CENTRAL}", "copy the ban list of another PAP"), ("add-pap --local test", "one to try things")),
        changes=True,
    ),
    Command(
        ("remove-pap", "rpap"),
        "remove-pap <alias>",
        "Remove a pap with its policies.",
        (),
        _remove,
        words(1),
        (("remove-pap central --dry-run", "tell what would go"),),
        changes=True,
    ),
    Command(
        ("update-pap", "upap"),
        "update-pap [options] <alias> [<endpoint> <dn>]",
        "Give a pap other settings; it keeps its policies, and is enabled or disabled as before.",
        _SETTINGS,
        _update,
        _check_settings,
        ((f"update-pap {_CENTRAL}", "copy it from another host"),),
        changes=True,
    ),
    Command(
        ("list-paps", "lpaps"),
        "list-paps [options]",
        "List the paps in their order.",
        (Option(("-l", "--long"), "with all their settings"),),
        _list,
        any_words,
        (("list-paps -l", "where they are copied from, too"),),
        tells=True,
    ),
    Command(
        ("enable-pap", "epap"),
        "enable-pap <alias>",
        "Let PDPs have the policies of a pap.",
        (),
        _enable,
        words(1),
        (("enable-pap central", "let a ban list be in force"),),
        changes=True,
    ),
    Command(
        ("disable-pap", "dpap"),
        "disable-pap <alias>",
        "Keep the policies of a pap from PDPs.",
        (),
        _disable,
        words(1),
        (("disable-pap central", "no longer in force, but kept"),),
        changes=True,
    ),
    Command(
        ("refresh-cache", "rc"),
        "refresh-cache [<alias>...]",
        "Fetch the policies of remote paps now, of all if none is named.",
        (),
        _refresh,
        any_words,
        (("refresh-cache central", "have the newest bans at once"),),
    ),
    Command(
        ("get-paps-order", "gpo"),
        "get-paps-order",
        "Tell the order of the paps: the first policy that applies decides.",
        (),
        _order,
        any_words,
        (("get-paps-order", "as it was set"),),
        tells=True,
    ),
    Command(
        ("set-paps-order", "spo"),
        "set-paps-order [<alias>...]",
        "Set the order of the paps; without aliases there is none.",
        (),
        _set_order,
        any_words,
        ((f"set-paps-order central {DEFAULT_ALIAS}", "bans of the other PAP come first"),),
        changes=True,
    ),
    Command(
        ("get-polling-interval", "gpi"),
        "get-polling-interval",
        "Tell how often the policies of remote paps are fetched.",
        (),
        _interval,
        any_words,
        (("get-polling-interval", "in seconds"),),
        tells=True,
    ),
    Command(
        ("set-polling-interval", "spi"),
        "set-polling-interval <seconds>",
        "Set how often the policies of remote paps are fetched.",
        (),
        _set_interval,
        words(1, "Wrong number of arguments: specify the new polling interval in seconds"),
        (("set-polling-interval 300", "every five minutes"),),
        changes=True,
    ),
)
