"""Commands that list, add, move and remove policies."""

from pathlib import Path
from typing import Final

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import PAP, Call, Command, Exit
from argus_py.clients.pap_rest import AddedAction, AddedResource, Refused

_POSITION = (
    Option(("--before",), "put it before the element with this id", "id"),
    Option(("--after",), "put it behind the element with this id", "id"),
)
_SCOPES = ("action", "resource")
# Causes for which a policy file is of no use as it is called, and what is said before their text.
_MISPLACED: Final = {
    "MixedElements": "Error: ",
    "ResourceIdMissing": "Error ",
    "ResourceIdNotAllowed": "Error ",
    "PivotNotFound": "",
}


def _list(call: Call) -> Exit:
    given = call.arguments
    paps = None if given.has("all") else given.all("pap") or (call.alias,)
    ids = "rules" if given.has("show-all-ids") else "actions" if given.has("show-ra-ids") else "none"
    options = {"ids": ids, "resource": given.get("resource"), "action": given.get("action")}
    print(call.pap.listing(paps, options | {"xacml": given.has("show-xacml")}), end="", file=call.out)
    return Exit.SUCCESS


def _check_add_rule(given: Arguments) -> None:
    pivots, values = given.has("before-rule-id") or given.has("after-rule-id"), given.has("resource")
    if pivots and not given.has("action-id"):
        more = " and cannot be used with options --resource and --action" if values or given.has("action") else ""
        raise ParseError(f"Options --before-rule-id and --after-rule-id need option --action-id{more}.")
    if not (values or given.has("action") or given.has("action-id")):
        raise ParseError("Specify an action-id or a resource/action value.")
    if given.has("action-id") and (values or given.has("action")):
        raise ParseError("Option --action-id cannot be used with options --resource and --action.")
    if values != given.has("action"):
        raise ParseError("--resource and --action must be both present.")
    if pivots and given.has("bottom"):
        raise ParseError('Specify one of --bottom option or "rule-id", not both at the same time.')
    if given.has("before-rule-id") and given.has("after-rule-id"):
        raise ParseError("Specify one of --before-rule-id and --after-rule-id.")
    scope = given.get("obligation-scope") or "resource"
    if scope not in _SCOPES:
        raise ParseError(
            f"Unrecognized value for the --obligation-scope option: '{scope}'. "
            "Possible values are 'action' and 'resource'."
        )
    if len(given.words) < 2:
        raise ParseError("Wrong number of arguments. Usage: [options] <permit|deny> <id=value>...")
    effect, *attributes = given.words
    if effect not in ("permit", "deny"):
        raise ParseError(f'First argument must be "permit" or "deny" (found: {effect})')
    for attribute in attributes:
        # BETTER: Java drops this word and all behind it, and so permits more than was asked for.
        if not attribute.partition("=")[1]:
            raise ParseError(f'Specify attributes as <id=value> (found: "{attribute}")')


def _add_rule(call: Call) -> Exit:
    given = call.arguments
    effect, *attributes = call.words
    pairs = [attribute.partition("=") for attribute in attributes]
    rule = {
        "effect": effect,
        "attributes": [{"name": name, "value": value} for name, _, value in pairs],
        "resource": given.get("resource"),
        "action": given.get("action"),
        "action_id": given.get("action-id"),
        "before": given.get("before-rule-id"),
        "after": given.get("after-rule-id"),
        "bottom": given.has("bottom"),
        "obligation": given.get("obligation"),
        "obligation_scope": given.get("obligation-scope") or "resource",
    }
    try:
        call.pap.add_rule(call.alias, rule)
    except Refused as error:
        if error.problems:
            raise ParseError(str(error)) from error
        raise
    call.say_if_verbose("Adding policy... ok")
    return Exit.SUCCESS


def _check_add_file(given: Arguments) -> None:
    if len(given.words) not in (1, 2):
        raise ParseError("Wrong number of arguments.")


def _add_file(call: Call) -> Exit:
    file, *into = call.words
    path = Path(file).absolute()
    refused = f"Syntax error no policies has been added from file:{path}\nReason:\n"  # COMPAT: grepped for
    try:
        text = _text_of(path)
        before, after = call.arguments.get("before"), call.arguments.get("after")
        place = {"before": None if after else before, "after": after}  # COMPAT: of both --after counts
        added = call.pap.add_policies(call.alias, text, {"resource_id": into[0] if into else None} | place)
    except FileUnreadable as error:
        call.say(f"{refused}{error}")
        return Exit.FAILURE
    except Refused as error:
        if error.problems:
            call.say(f"{refused}{error}")
            return Exit.FAILURE
        if error.error in _MISPLACED:
            call.say(f"{_MISPLACED[error.error]}{error}")
            return Exit.FAILURE
        raise
    for element in added:
        _say_added(call, element)
        if isinstance(element, AddedResource):
            call.say_if_verbose("")
    if into:
        call.say_if_verbose("")
    call.say_if_verbose(f"Success: policies has been added from file {path}")
    return Exit.SUCCESS


def _check_update(given: Arguments) -> None:
    if len(given.words) != 2:
        raise ParseError("Wrong number of arguments.")


def _update(call: Call) -> Exit:
    id, file = call.words
    path = Path(file).absolute()
    try:
        call.pap.update_policy(call.alias, id, _text_of(path))
    except FileUnreadable as error:
        call.say(f"Error: file {error}")
        return Exit.FAILURE
    except Refused as error:
        if error.problems:
            call.say(f"Syntax error in file: {path}\n{error}")
        elif error.error == "SeveralElements":
            call.say(f'Error: {error} in file "{path}"')
        elif error.error == "IdNotFound":
            call.say(f"Error: {error}")
        else:
            raise
        return Exit.FAILURE
    call.say_if_verbose("Success: policy has been updated.")
    return Exit.SUCCESS


class FileUnreadable(Exception):
    """A policy file that is not there, or no UTF-8; the text begins with its path."""


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise FileUnreadable(f"{path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path} (not UTF-8: {error.reason} at octet {error.start})") from error


def _say_added(call: Call, element: AddedResource | AddedAction) -> None:
    if isinstance(element, AddedResource):
        call.say_if_verbose(f'Added policy set: resource "{element.resource}" (id={element.id})')
        for action in element.actions:
            _say_added(call, action)
    else:
        call.say_if_verbose(f'Added policy: action "{element.action}" (id={element.id})')


def _check_ids(given: Arguments) -> None:
    if not given.words:
        raise ParseError("Wrong number of arguments: specify one or more ids.")


def _remove(call: Call) -> Exit:
    try:
        call.pap.remove(call.alias, call.words)
    except Refused:
        call.say("error.")
        raise
    for id in call.words:
        call.say_if_verbose(f'Removing "{id}"... ok.')
    return Exit.SUCCESS


def _remove_all(call: Call) -> Exit:
    call.pap.remove_all(call.alias)
    call.say_if_verbose("Removing all policies... ok")
    return Exit.SUCCESS


def _check_move(given: Arguments) -> None:
    if len(given.words) != 1:
        raise ParseError("Wrong number of arguments")
    if not (given.has("before") or given.has("after")):
        raise ParseError("One of --before or --after is required.")


def _move(call: Call) -> Exit:
    before, after = call.arguments.get("before"), call.arguments.get("after")
    call.pap.move(call.alias, call.words[0], None if after else before, after)  # COMPAT: of both --after counts
    return Exit.SUCCESS


def _check_nothing(_given: Arguments) -> None:
    """COMPAT: superfluous words are ignored."""


COMMANDS = (
    Command(
        ("list-policies", "lp"),
        "list-policies [options]",
        "List the policies of paps.",
        (
            Option(("--pap",), "the paps to list, default 'default'", "alias...", several=True),
            Option(("--all",), "list all paps"),
            Option(("--resource",), "only resources with exactly this value", "value"),
            Option(("--action",), "only actions with exactly this value", "value"),
            Option(("-srai", "--show-ra-ids"), "show the ids of resources and actions"),
            Option(("-sai", "--show-all-ids"), "show the ids of resources, actions and rules"),
            Option(("--show-xacml",), "show XACML instead of the policy language"),
        ),
        _list,
        _check_nothing,
    ),
    Command(
        ("add-policy", "ap"),
        "add-policy [options] <permit|deny> <id=value>...",
        "Add a rule to an action, before its other rules.",
        (
            Option(("--resource",), "the value of the resource, made if there is none", "value"),
            Option(("--action",), "the value of the action, made if there is none", "value"),
            Option(("--action-id",), "the action, instead of --resource and --action", "id"),
            Option(("--before-rule-id",), "put it before this rule of the action", "id"),
            Option(("--after-rule-id",), "put it behind this rule of the action", "id"),
            Option(("--bottom",), "put it behind the other rules; new elements go to the bottom as well"),
            Option(("--obligation",), "an obligation for the resource or the action", "id"),
            Option(("--obligation-scope",), "which of them gets it: action, or resource (default)", "scope"),
            PAP,
        ),
        _add_rule,
        _check_add_rule,
    ),
    Command(
        ("add-policies-from-file", "apf"),
        "add-policies-from-file [options] <file> [resourceId]",
        "Add the resources of a policy file, or its actions to a resource; all or nothing.",
        (*_POSITION, PAP),
        _add_file,
        _check_add_file,
    ),
    Command(
        ("update-policy-from-file", "upf"),
        "update-policy-from-file [options] <id> <file>",
        "Replace a resource or an action by the one in a policy file; it keeps its id and its place.",
        (PAP,),
        _update,
        _check_update,
    ),
    Command(
        ("remove-policy", "rp"),
        "remove-policy [options] <id>...",
        "Remove resources, actions or rules by their ids; all or nothing.",
        (PAP,),
        _remove,
        _check_ids,
    ),
    Command(
        ("remove-all-policies", "rap"),
        "remove-all-policies [options]",
        "Remove all policies of a pap.",
        (PAP,),
        _remove_all,
        _check_nothing,
    ),
    Command(
        ("move", "mv"),
        "move [options] <id> (--before <id> | --after <id>)",
        "Move a resource, an action inside its resource, or a rule inside its action.",
        (*_POSITION, PAP),
        _move,
        _check_move,
    ),
)
