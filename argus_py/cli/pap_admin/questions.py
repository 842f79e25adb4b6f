"""Questions to the policies that a PAP has now: who-may and explain.

They are answered here, from the policies as they are listed, and so for a Java PAP as well.
"""

from datetime import UTC, datetime

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import Call, Command, Exit

_PROFILES = ("grid-wn", "grid-ce", "common")
_WHERE = (
    Option(("-r", "--resource"), "the resource, as requests name it", "value"),
    Option(("-a", "--action"), "the action, as requests name it", "value"),
)


def _check_who_may(given: Arguments) -> None:
    if given.words or not (given.has("resource") and given.has("action")):
        raise ParseError("Usage: who-may --resource <value> --action <value>")


def _who_may(call: Call) -> Exit:
    from argus_py.pap.questions import who_may  # noqa: PLC0415 - start-up
    from argus_py.spl.attributes import DEFAULT_MAPPINGS  # noqa: PLC0415 - start-up

    enabled = [(pap, call.pap.policies(pap.alias)) for pap in call.pap.paps() if pap.enabled]
    resource, action = call.arguments.get("resource") or "", call.arguments.get("action") or ""
    answer = who_may(enabled, resource, action, DEFAULT_MAPPINGS)
    if call.as_json:
        rules = [
            {"pap": each.pap.alias, "rule_id": each.rule.id, "rule": each.text, "shadowed_by": each.shadowed_by}
            for each in answer.rules
        ]
        call.say_json({"rules": rules, "ends": answer.ends})
        return Exit.SUCCESS
    for each in answer.rules:
        shadow = "" if each.shadowed_by is None else f", never reached because of rule {each.shadowed_by}"
        call.say(f"{each.text}  (pap {each.pap.alias}, rule {each.rule.id}{shadow})")
    if answer.ends:
        call.say(f"Here every request ends, Indeterminate: {answer.ends}")
    elif not answer.rules:
        call.say("Nobody: there is no rule for this.")
    return Exit.SUCCESS


def _check_explain(given: Arguments) -> None:
    if given.words or not all(given.has(name) for name in ("subject", "resource", "action")):
        raise ParseError("Usage: explain --subject <dn> [--fqan <fqan>...] --resource <value> --action <value>")


def _explain(call: Call) -> Exit:
    from argus_py.errors import MalformedInput  # noqa: PLC0415 - start-up
    from argus_py.pap.provisioning import tree  # noqa: PLC0415 - start-up
    from argus_py.pdp.explanation import explained  # noqa: PLC0415 - start-up
    from argus_py.pdp.question import Profile, Question  # noqa: PLC0415 - start-up
    from argus_py.pdp.trace_json import explanation_as_json  # noqa: PLC0415 - start-up
    from argus_py.pdp.trace_text import format_explanation  # noqa: PLC0415 - start-up

    given = call.arguments
    try:
        question = Question.parse(
            given.get("subject") or "",
            given.get("resource") or "",
            given.get("action") or "",
            fqans=given.all("fqan"),
            issuers=given.all("issuer"),
            profile=Profile(given.get("profile") or _PROFILES[0]),
        )
    except MalformedInput as error:
        raise ParseError(str(error)) from error
    policies = tree(call.pap.paps(), lambda pap: call.pap.policies(pap.alias))
    explanation = explained(policies, question.request(), datetime.now(UTC))
    if call.as_json:
        call.say_json(explanation_as_json(explanation))
    else:
        call.say(format_explanation(explanation, given.has("everything")), end="")
    return Exit.SUCCESS


COMMANDS = (
    Command(
        ("who-may",),
        "who-may --resource <value> --action <value>",
        "List the rules that decide about an action on a resource, in the order in which they are tried.",
        _WHERE,
        _who_may,
        _check_who_may,
        (("who-may --resource ce --action submit", "who may submit, and who is banned"),),
        tells=True,
    ),
    Command(
        ("explain",),
        "explain --subject <dn> [--fqan <fqan>...] --resource <value> --action <value>",
        "Tell how the policies of the PAP decide about somebody, and why.\n"
        "PDPs decide by them as soon as they have fetched them.",
        (
            Option(("--subject",), "the DN of the user, in either form", "dn"),
            Option(("--fqan",), "of the user; the first is the primary one", "fqan...", several=True),
            *_WHERE,
            Option(("--issuer",), "the CA of the user; then the CAs above it", "dn...", several=True),
            Option(("--profile",), "of the client, default grid-wn", "profile", choices=_PROFILES),
            Option(("--everything",), "all that was looked at, not the first few of a kind"),
        ),
        _explain,
        _check_explain,
        (("explain --subject '/DC=org/CN=Eve' --fqan /dteam --resource ce --action submit", "may she, and why?"),),
        tells=True,
    ),
)
