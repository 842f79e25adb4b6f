"""Any text is an access control list or a typed error, and never more than it says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.dn import DistinguishedName
from argus_py.pap.authorization import Acl, AclSyntaxError, Admin, Permission, parse_acl

NOBODY = Admin(DistinguishedName.parse_slash("/O=nowhere/CN=nobody"))
flags = st.sampled_from([*Permission.__members__, "BOGUS", "all"])
principals = st.sampled_from(['"/CN=a"', '"CN=a,O=b"', "/vo/Role=x", "ANYONE ", '"', "", "é:x"])
entries = st.builds("{} : {}".format, principals, st.lists(flags, max_size=3).map("|".join))
lines = st.one_of(st.sampled_from(["[dn]", "[fqan]", "[dn] ", "#", ";x", "\t"]), entries, st.text(max_size=30))


@settings(max_examples=300, deadline=None)
@given(text=st.lists(lines, max_size=8).map("\n".join))
def test_a_text_is_a_list_or_a_typed_error(text: str) -> None:
    acl, problems = read(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in problems)
    if "ANYONE" not in text:
        assert acl.permissions_of(NOBODY) == Permission(0)


def read(text: str) -> tuple[Acl, list[int]]:
    try:
        return parse_acl(text, "acl"), []
    except AclSyntaxError as error:
        return Acl(), [line for line, _ in error.problems]
