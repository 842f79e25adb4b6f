"""Commands that list, add, move and remove policies."""

from pathlib import Path
from typing import Final

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import PAP, Call, Command, Exit, any_words, words
from argus_py.cli.pap_admin.service import (
    AddedAction,
    AddedResource,
    Beside,
    ListingForm,
    NewRule,
    Refused,
    Scope,
)
from argus_py.pap.paps import DEFAULT_ALIAS

_POSITION = (
    Option(("--before",), "put it before the element with this id", "id"),
    Option(("--after",), "put it behind the element with this id", "id"),
)
_SCOPES = ("action", "resource")
_MAX_FILE: Final = 64 * 1024 * 1024  # octets; several times the longest text that a PAP reads
# Causes for which a policy file is of no use as it is called, and what is said before their text.
_MISPLACED: Final = {
    "MixedElements": "Error: ",
    "ResourceIdMissing": "Error ",
    "ResourceIdNotAllowed": "Error ",
    "PivotNotFound": "",
}


def _list(call: Call) -> Exit:
    given = call.arguments
    form = ListingForm(
        "rules" if given.has("show-all-ids") else "actions" if given.has("show-ra-ids") else "none",
        given.get("resource"),
        given.get("action"),
        given.has("show-xacml"),
    )
    aliases = None if given.has("all") else given.all("pap") or (DEFAULT_ALIAS,)
    if call.as_json:
        from argus_py.cli.pap_admin.policies_json import policies_as_values  # noqa: PLC0415 - start-up

        chosen = [pap.alias for pap in call.pap.paps()] if aliases is None else aliases
        held = [(alias, call.pap.policies(alias)) for alias in chosen]
        call.say_json({"paps": policies_as_values(held, form.resource, form.action)})
    else:
        call.say(call.pap.listing(aliases, form), end="")
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
    resource, action = given.get("resource"), given.get("action")
    rule = NewRule(
        effect == "permit",
        tuple((name, value) for name, _, value in pairs),
        None if resource is None or action is None else Scope(resource, action),
        given.get("action-id"),
        before=given.get("before-rule-id"),
        after=given.get("after-rule-id"),
        bottom=given.has("bottom"),
        obligation=given.get("obligation"),
        obligation_scope=given.get("obligation-scope") or "resource",
    )
    try:
        call.pap.add_rule(call.alias, rule)
    except Refused as error:
        if error.unreadable:
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
        added = call.pap.add_policies(call.alias, text, _place(call.arguments), into[0] if into else None)
    except FileUnreadable as error:
        call.say(f"{refused}{error}")
        return Exit.FAILURE
    except Refused as error:
        if error.unreadable:
            call.say(f"{refused}{error}")
            return Exit.FAILURE
        if error.cause in _MISPLACED:
            call.say(f"{_MISPLACED[error.cause]}{error}")
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


def _place(given: Arguments) -> Beside | None:
    """COMPAT: of both --after counts."""
    before, after = given.get("before"), given.get("after")
    if after is not None:
        return Beside(after, after=True)
    return None if before is None else Beside(before, after=False)


def _update(call: Call) -> Exit:
    id, file = call.words
    path = Path(file).absolute()
    try:
        call.pap.update_policy(call.alias, id, _text_of(path))
    except FileUnreadable as error:
        call.say(f"Error: file {error}")
        return Exit.FAILURE
    except Refused as error:
        if error.unreadable:
            call.say(f"Syntax error in file: {path}\n{error}")
        elif error.cause == "SeveralElements":
            call.say(f'Error: {error} in file "{path}"')
        elif error.cause == "IdNotFound":
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
        with path.open("rb") as file:
            octets = file.read(_MAX_FILE + 1)
        if len(octets) > _MAX_FILE:
            raise FileUnreadable(f"{path} (larger than {_MAX_FILE} octets)")
        return octets.decode()
    except OSError as error:
        raise FileUnreadable(f"{path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path} (not UTF-8: {error.reason} at octet {error.start})") from error


def _say_added(call: Call, element: AddedResource | AddedAction) -> None:
    if isinstance(element, AddedResource):
        call.say_if_verbose(f'Added policy set: resource "{element.value}" (id={element.id})')
        for action in element.actions:
            _say_added(call, action)
    else:
        call.say_if_verbose(f'Added policy: action "{element.value}" (id={element.id})')


def _check_ids(given: Arguments) -> None:
    if not given.words:
        raise ParseError("Wrong number of arguments: specify one or more ids.")


def _remove(call: Call) -> Exit:
    try:
        for id in call.pap.remove(call.alias, call.words):
            call.say_if_verbose(f'Removing "{id}"... ok.')
    except Refused:
        call.say("error.")
        raise
    return Exit.SUCCESS


def _remove_all(call: Call) -> Exit:
    if call.console.ask is not None and not (call.arguments.has("yes") or call.is_dry_run):
        answer = call.console.ask(f"Remove all policies of the pap '{call.alias}'? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            call.say("Nothing was removed.")
            return Exit.FAILURE
    call.pap.remove_all(call.alias)
    call.say_if_verbose("Removing all policies... ok")
    return Exit.SUCCESS


def _check_move(given: Arguments) -> None:
    words(1)(given)
    if _place(given) is None:
        raise ParseError("One of --before or --after is required.")


def _move(call: Call) -> Exit:
    place = _place(call.arguments)
    assert place is not None
    call.pap.move(call.alias, call.words[0], place)
    return Exit.SUCCESS


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
        any_words,
        (
            ("list-policies", "what is in force of the pap 'default'"),
            ("lp --all -sai", "all paps, with the ids that other commands take"),
            ("lp --output json", "for a program"),
        ),
        tells=True,
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
        (
            ("add-policy --resource ce --action submit permit vo=dteam", "permit a VO to submit"),
            ("ap --action-id ACTION_ID --bottom deny fqan=/dteam/Role=test", "after all rules of an action"),
        ),
        changes=True,
    ),
    Command(
        ("add-policies-from-file", "apf"),
        "add-policies-from-file [options] <file> [resourceId]",
        "Add the resources of a policy file, or its actions to a resource; all or nothing.",
        (*_POSITION, PAP),
        _add_file,
        _check_add_file,
        (
            ("add-policies-from-file site.spl", "the resources of a file, behind all others"),
            ("apf --before ACTION_ID actions.spl RESOURCE_ID", "actions, into a resource"),
        ),
        changes=True,
    ),
    Command(
        ("update-policy-from-file", "upf"),
        "update-policy-from-file [options] <id> <file>",
        "Replace a resource or an action by the one in a policy file; it keeps its id and its place.",
        (PAP,),
        _update,
        words(2, "Wrong number of arguments."),
        (("update-policy-from-file RESOURCE_ID resource.spl", "a resource with all its actions"),),
        changes=True,
    ),
    Command(
        ("remove-policy", "rp"),
        "remove-policy [options] <id>...",
        "Remove resources, actions or rules by their ids; all or nothing.",
        (PAP,),
        _remove,
        _check_ids,
        (("remove-policy RULE_ID", "a rule; an action left without rules, and its resource, go with it"),),
        changes=True,
    ),
    Command(
        ("remove-all-policies", "rap"),
        "remove-all-policies [options]",
        "Remove all policies of a pap.",
        (PAP, Option(("--yes",), "do not ask, as in scripts")),
        _remove_all,
        any_words,
        (
            ("remove-all-policies --dry-run", "tell what would go"),
            ("rap --pap central --yes", "empty the copy of a remote PAP until it is fetched again"),
        ),
        changes=True,
    ),
    Command(
        ("move", "mv"),
        "move [options] <id> (--before <id> | --after <id>)",
        "Move a resource, an action inside its resource, or a rule inside its action.",
        (*_POSITION, PAP),
        _move,
        _check_move,
        (("move RESOURCE_ID --before OTHER_ID", "let its rules decide first"),),
        changes=True,
    ),
)
