"""add-obligation and remove-obligation."""

from collections.abc import Callable

from argus_py.cli.pap_admin.arguments import Arguments, ParseError
from argus_py.cli.pap_admin.command import PAP, Call, Command, Exit
from argus_py.clients.pap_rest import Refused


def _two_words(arguments: Arguments) -> None:
    if len(arguments.words) != 2:
        raise ParseError("Wrong number of arguments. Usage: <policyId> <obligationId>")


def _add(call: Call) -> Exit:
    return _change(call, call.pap.add_obligation)


def _remove(call: Call) -> Exit:
    return _change(call, call.pap.remove_obligation)


def _change(call: Call, change: Callable[[str, str, str], None]) -> Exit:
    id, obligation = call.words
    try:
        change(call.alias, id, obligation)
    except Refused as error:
        if error.error not in ("IdNotFound", "ObligationExists"):
            raise
        print(error, file=call.err)  # COMPAT: the only commands that fail on stderr
        return Exit.FAILURE
    return Exit.SUCCESS


COMMANDS = (
    Command(
        ("add-obligation", "ao"),
        "add-obligation [options] <policyId> <obligationId>",
        "Add an obligation to a resource or an action, to be fulfilled on permit.",
        (PAP,),
        _add,
        _two_words,
    ),
    Command(
        ("remove-obligation", "ro"),
        "remove-obligation [options] <policyId> <obligationId>",
        "Remove an obligation from a resource or an action.",
        (PAP,),
        _remove,
        _two_words,
    ),
)
