"""Commands that ask and change nothing: ping and who-may."""

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import Call, Command, Exit
from argus_py.clients.pap_rest import ApplicableRule


def _check_ping(_given: Arguments) -> None:
    """COMPAT: superfluous words are ignored."""


def _ping(call: Call) -> Exit:
    print(f'Contacting PAP at "{call.pap.url}"... ', end="", file=call.out, flush=True)
    call.say(f"ok (PAP version: {call.pap.ping()})")
    return Exit.SUCCESS


def _check_who_may(given: Arguments) -> None:
    if given.words or not (given.has("resource") and given.has("action")):
        raise ParseError("Usage: who-may --resource <value> --action <value>")


def _who_may(call: Call) -> Exit:
    answer = call.pap.who_may(call.arguments.get("resource") or "", call.arguments.get("action") or "")
    for rule in answer.rules:
        call.say(_line(rule))
    if answer.ends:
        call.say(f"Here every request ends, Indeterminate: {answer.ends}")
    elif not answer.rules:
        call.say("Nobody: there is no rule for this.")
    return Exit.SUCCESS


def _line(rule: ApplicableRule) -> str:
    place = f"pap {rule.pap}, rule {rule.rule_id}"
    if rule.shadowed_by:
        place += f", never reached because of rule {rule.shadowed_by}"
    return f"{rule.rule}  ({place})"


COMMANDS = (
    Command(
        ("ping",),
        "ping",
        "Say whether the PAP answers, and its version.",
        (),
        _ping,
        _check_ping,
    ),
    Command(
        ("who-may",),
        "who-may --resource <value> --action <value>",
        "List the rules that decide about an action on a resource, in the order in which they are tried.",
        (
            Option(("-r", "--resource"), "the resource, as requests name it", "value"),
            Option(("-a", "--action"), "the action, as requests name it", "value"),
        ),
        _who_may,
        _check_who_may,
    ),
)
