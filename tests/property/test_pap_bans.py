"""A ban finds a name in whatever spelling, and no other name."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName
from argus_py.model.response import Effect
from argus_py.pap import editing
from argus_py.spl import ast
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.lower import lower_resource
from argus_py.xacml.policy import PolicySet

attributes = st.builds(
    "{}{}={}{}".format,
    st.sampled_from(["CN", "cn", "2.5.4.3", "DC", "O", "EMAILADDRESS"]),
    st.sampled_from(["", " "]),
    st.sampled_from(["", " "]),
    st.sampled_from(["a", "A", "a  b", "a b", "ab", "x\\,y", '"x,y"', "x\\2Cy", "é", "É", "#1303616263", "a=b", "b"]),
)
names = st.lists(st.tuples(attributes, st.sampled_from([",", ", ", ";", "+"])), min_size=1, max_size=3).map(
    lambda parts: "".join(part + end for part, end in parts[:-1]) + parts[-1][0]
)


def banning(name: str, numbers: str) -> PolicySet:
    """Denies whoever has the name; with ids of its own."""
    rule = ast.Rule(Effect.DENY, (ast.Pair(ast.Text("subject"), ast.Text(name)),))
    resource = ast.Resource(ast.Text(".*"), (ast.Action(ast.Text(".*"), (rule,)),))
    ids = iter(f"{numbers}{number}" for number in range(3))
    return lower_resource(resource, DEFAULT_MAPPINGS, lambda: next(ids))


def readable(name: str) -> bool:
    try:
        banning(name, "x")
    except MalformedInput:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(stored=names.filter(readable), banned=names.filter(readable))
@example(stored="CN=a b,O=x", banned="cn=A  B, o=X")
@example(stored="CN=a+O=b", banned="O=b+CN=a")
@example(stored="CN=x\\,y", banned='CN="x,y"')
@example(stored="CN=#1303616263", banned="CN=abc")
def test_a_ban_is_there_already_if_the_names_are_equal(stored: str, banned: str) -> None:
    there, wanted = (banning(stored, "old"),), banning(banned, "new")
    equal = DistinguishedName.parse_rfc2253(stored) == DistinguishedName.parse_rfc2253(banned)
    assert (editing.ban(there, wanted) == there) == equal
