"""Commands about the access control list: who may administrate the PAP.

Source: argus-pap:src/main/java/org/glite/authz/pap/ui/cli/authzmanagement/
"""

from typing import Final

from argus_py.cli.pap_admin.command import Call, Command, Exit, any_words, words
from argus_py.cli.pap_admin.service import AclEntry, Impossible
from argus_py.errors import MalformedInput
from argus_py.model.fqan import Fqan, FqanSyntaxError
from argus_py.pap.authorization import ANYONE, parse_dn

_WRONG: Final = "Wrong number of arguments!"


class NoPrincipal(Impossible):
    """The text names nobody: it is no DN and no FQAN."""

    def __init__(self, text: str) -> None:
        super().__init__(f"The string passed as argument is not a valid certificate subject! ({text!r})")
        self.text = text


def principal(text: str) -> AclEntry:
    """An FQAN, ``ANYONE``, or a DN in either form.

    >>> principal("CN=Admin,O=Site").name
    '/O=Site/CN=Admin'

    Raises NoPrincipal.
    """
    if text == ANYONE:
        return AclEntry("anyone", ANYONE)
    if text.startswith("/") and "=" not in text.split("/")[1]:
        try:
            return AclEntry("fqan", str(Fqan.parse(text)))
        except FqanSyntaxError as error:
            raise NoPrincipal(text) from error
    try:
        name = parse_dn(text)
    except MalformedInput as error:
        raise NoPrincipal(text) from error
    if not name.rdns or not all(attribute.value for rdn in name.rdns for attribute in rdn):
        raise NoPrincipal(text)
    return AclEntry("dn", name.slash())


def _list(call: Call) -> Exit:
    entries = call.pap.acl()
    if call.as_json:
        values = [{"kind": each.kind, "name": each.name, "permissions": each.permissions} for each in entries]
        call.say_json({"acl": values})
        return Exit.SUCCESS
    if not entries:
        call.say("ACL is empty!")
    for entry in entries:
        name = f'"{entry.name}"' if entry.kind == "dn" else entry.name
        call.say(f"\n{name} :\n\t{'|'.join(entry.permissions)}")
    return Exit.SUCCESS


def _add(call: Call) -> Exit:
    who, permissions = call.words
    whom = principal(who)
    call.pap.add_ace(AclEntry(whom.kind, whom.name, tuple(permissions.split("|"))))
    return Exit.SUCCESS


def _remove(call: Call) -> Exit:
    call.pap.remove_ace(principal(call.words[0]))
    return Exit.SUCCESS


COMMANDS = (
    Command(
        ("list-acl", "lacl"),
        "list-acl",
        "List who may administrate the PAP, and how.",
        (),
        _list,
        any_words,
        (("list-acl", "everybody with some permission"),),
        tells=True,
    ),
    Command(
        ("add-ace", "aace"),
        "add-ace <principal> <permissions>",
        "Give permissions to a DN (in either form), an FQAN or ANYONE; they replace those it had.\n"
        "Permissions are joined by |: POLICY_READ_LOCAL, POLICY_READ_REMOTE, POLICY_WRITE, CONFIGURATION_READ,\n"
        "CONFIGURATION_WRITE; or ALL.",
        (),
        _add,
        words(2, _WRONG),
        (
            ("add-ace '/DC=org/DC=example/CN=Alice' ALL", "another administrator"),
            ("add-ace /dteam/Role=ban 'POLICY_READ_LOCAL|POLICY_WRITE'", "those with a role may ban"),
        ),
        changes=True,
    ),
    Command(
        ("remove-ace", "race"),
        "remove-ace <principal>",
        "Take all permissions from a DN, an FQAN or ANYONE.",
        (),
        _remove,
        words(1, _WRONG),
        (("remove-ace '/DC=org/DC=example/CN=Alice'", "no administrator any more"),),
        changes=True,
    ),
)
