"""add-obligation and remove-obligation."""

from collections.abc import Callable
from typing import Final

from argus_py.cli.pap_admin.command import PAP, Call, Command, Exit, words
from argus_py.cli.pap_admin.service import Refused

_MAP: Final = "http://glite.org/xacml/obligation/local-environment-map"
_two_words = words(2, "Wrong number of arguments. Usage: <policyId> <obligationId>")


def _add(call: Call) -> Exit:
    return _change(call, call.pap.add_obligation)


def _remove(call: Call) -> Exit:
    return _change(call, call.pap.remove_obligation)


def _change(call: Call, change: Callable[[str, str, str], None]) -> Exit:
    id, obligation = call.words
    try:
        change(call.alias, id, obligation)
    except Refused as error:
        if error.cause not in ("IdNotFound", "ObligationExists"):
            raise
        call.complain(str(error))  # COMPAT: the only commands that fail on stderr
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
        ((f"add-obligation RESOURCE_ID {_MAP}", "map those who are permitted to local accounts"),),
        changes=True,
    ),
    Command(
        ("remove-obligation", "ro"),
        "remove-obligation [options] <policyId> <obligationId>",
        "Remove an obligation from a resource or an action.",
        (PAP,),
        _remove,
        _two_words,
        ((f"remove-obligation RESOURCE_ID {_MAP}", "permit without a local account"),),
        changes=True,
    ),
)
