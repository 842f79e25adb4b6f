"""ban and un-ban."""

from typing import Final

from argus_py.cli.pap_admin.arguments import Option
from argus_py.cli.pap_admin.command import PAP, Call, Command, Exit, words
from argus_py.cli.pap_admin.service import Scope

_ANY: Final = ".*"
_SCOPE = (
    Option(("-r", "--resource"), f"for requests about this resource only, default {_ANY}", "value"),
    Option(("-a", "--action"), f"for this action only, default {_ANY}", "value"),
    PAP,
)


def _scope(call: Call) -> Scope:
    return Scope(call.arguments.get("resource") or _ANY, call.arguments.get("action") or _ANY)


def _ban(call: Call) -> Exit:
    attribute, value = call.words
    if call.pap.ban(call.alias, attribute, value, _scope(call), private=call.arguments.has("private")):
        call.say_if_verbose("Adding deny rule... ok")
        return Exit.SUCCESS
    start = "Adding deny rule... " if call.verbose else ""
    call.say(f"{start}error (ban rule already exists).")
    call.complain(f'{attribute}="{value}" is banned already, nothing was changed.')
    return Exit.SUCCESS  # COMPAT: nothing failed, the user is banned


def _unban(call: Call) -> Exit:
    attribute, value = call.words
    if call.pap.unban(call.alias, attribute, value, _scope(call)):
        call.say_if_verbose("Removing ban... ok.")
        return Exit.SUCCESS
    start = "Removing ban... " if call.verbose else ""
    call.say(f"{start}ban policy not found.")
    return Exit.FAILURE


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
        words(2),
        (
            ('ban subject "CN=Eve,DC=example,DC=org"', "a user, by the subject of the certificate"),
            ("ban vo dteam --action '.*/pilot'", "a VO, but from pilot jobs only"),
            ("ban fqan /dteam/Role=test --dry-run", "tell what a ban would change"),
        ),
        changes=True,
    ),
    Command(
        ("un-ban", "uban"),
        "un-ban [options] <id> <value>",
        "Remove the first deny rule about an attribute.",
        _SCOPE,
        _unban,
        words(2),
        (('un-ban subject "CN=Eve,DC=example,DC=org"', "let a user in again, if another rule permits it"),),
        changes=True,
    ),
)
