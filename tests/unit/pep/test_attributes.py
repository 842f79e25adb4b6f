from argus_py.model.attribute import Attribute
from argus_py.model.request import Action, Environment, Request, Resource, Subject
from argus_py.pep.attributes import find, first_value, set_environment, without, without_claims, without_empty_values

A1, A2, B = Attribute("a", ("1",)), Attribute("a", ("2",), "other"), Attribute("b", ("3", "4"))


def test_found_attributes_keep_the_order_received() -> None:
    assert find((A2, B, A1), "a") == (A2, A1)
    assert find((A2, B, A1), "a", A1.datatype) == (A1,)


def test_the_first_value_is_that_of_the_first_attribute_with_one() -> None:
    assert first_value((Attribute("b", ()), B, A1), "b") == "3"
    assert first_value((B,), "a") is None
    assert first_value((Attribute("a", ()),), "a") is None


def test_without_removes_by_id_whatever_the_datatype() -> None:
    assert without((A1, B, A2), {"a"}) == (B,)


def test_claims_go_from_every_subject_and_from_nowhere_else() -> None:
    request = Request((Subject((A1, B, A2), "c"), Subject((A1,))), (Resource((A1,)),), Action((A1,)))
    left = Request((Subject((B,), "c"), Subject()), (Resource((A1,)),), Action((A1,)))
    assert without_claims(request, {"a", "c"}) == left
    assert without_claims(request, {"c"}) is request


def test_environment_attributes_replace_those_of_their_ids_and_come_last() -> None:
    request = Request(environment=Environment((A2, B)))
    assert set_environment(request, (A1,)) == Request(environment=Environment((B, A1)))


def test_an_environment_is_created_when_there_is_none() -> None:
    assert set_environment(Request(), (A1,)) == Request(environment=Environment((A1,)))


def test_empty_values_go_from_every_part_and_their_attributes_stay() -> None:
    sent = (Attribute("a", ("", "1", "")), Attribute("b", ("",), issuer="me"), B)
    left = (Attribute("a", ("1",)), Attribute("b", (), issuer="me"), B)
    assert without_empty_values(
        Request((Subject(sent, "c"),), (Resource(sent, "text"),), Action(sent), Environment(sent))
    ) == Request((Subject(left, "c"),), (Resource(left, "text"),), Action(left), Environment(left))
    assert without_empty_values(Request()) == Request()
