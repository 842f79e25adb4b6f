"""ban and un-ban."""

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import PAP, Call, Command, Exit
from argus_py.clients.pap_rest import Refused
from argus_py.pap.administration import ANY

_SCOPE = (
    Option(("-r", "--resource"), f"for requests about this resource only, default {ANY}", "value"),
    Option(("-a", "--action"), f"for this action only, default {ANY}", "value"),
    PAP,
)


def _two_words(arguments: Arguments) -> None:
    if len(arguments.words) != 2:
        raise ParseError("Wrong number of arguments")


def _ban(call: Call) -> Exit:
    attribute, value = call.words
    new = call.pap.ban(
        call.alias,
        {
            "attribute": {"name": attribute, "value": value},
            "resource": call.arguments.get("resource") or ANY,
            "action": call.arguments.get("action") or ANY,
            "private": call.arguments.has("private"),
        },
    )
    if new:
        call.say_if_verbose("Adding deny rule... ok")
    else:
        start = "Adding deny rule... " if call.verbose else ""
        call.say(f"{start}error (ban rule already exists).")
    return Exit.SUCCESS  # COMPAT: nothing failed, the user is banned


def _unban(call: Call) -> Exit:
    attribute, value = call.words
    resource, action = call.arguments.get("resource") or ANY, call.arguments.get("action") or ANY
    try:
        call.pap.unban(call.alias, attribute, value, resource, action)
    except Refused as error:
        if error.error != "BanNotFound":
            raise
        start = "Removing ban... " if call.verbose else ""
        call.say(f"{start}ban policy not found.")
        return Exit.FAILURE
    call.say_if_verbose("Removing ban... ok.")
    return Exit.SUCCESS


COMMANDS = (
    Command(
        ("ban",),
        "ban [options] <id> <value>",
        "Deny everything to those who have an attribute, before all other rules.",
        (
            *_SCOPE,
            Option(("--public",), "other PAPs may see the ban (default)"),
            Option(("--private",), "the ban is not for other PAPs"),
        ),
        _ban,
        _two_words,
    ),
    Command(
        ("un-ban", "uban"),
        "un-ban [options] <id> <value>",
        "Remove the first deny rule about an attribute.",
        _SCOPE,
        _unban,
        _two_words,
    ),
)
