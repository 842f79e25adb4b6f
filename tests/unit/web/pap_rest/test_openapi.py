"""The description of the interface says what it does."""

from typing import Any

import pytest

from tests.unit.web.pap_rest.conftest import Rest

READS = {"200", "304", "400", "403", "404", "500", "503"}
CHANGES = {"200", "400", "403", "404", "409", "412", "413", "415", "500", "503"}


@pytest.fixture(scope="module")
def described(untouched: Rest) -> dict[str, Any]:
    document: dict[str, Any] = untouched("GET", "/openapi.json", None).json()
    return document


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_tells_all_its_statuses(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        assert operation["responses"].keys() == (READS if method == "get" else CHANGES), (path, method)
        for status, response in operation["responses"].items():
            if status >= "400":
                assert response["content"].keys() == {"application/problem+json"}


def test_every_operation_has_a_name_of_its_own_and_a_sentence(described: dict[str, Any]) -> None:
    found = operations(described)
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)
    assert all(operation["description"] for _, _, operation in found)


def test_changes_have_their_conditions(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        names = {parameter["name"] for parameter in operation.get("parameters", ())}
        if method == "get" or path == "/refreshes":
            assert "dry_run" not in names
        else:
            assert names >= {"dry_run", "if-match"}, (path, method)


def test_policy_texts_are_no_json(described: dict[str, Any]) -> None:
    for method in ("post", "put"):
        body = described["paths"]["/paps/{alias}/policies"][method]["requestBody"]
        assert (body["required"], [*body["content"]]) == (True, ["application/vnd.argus.spl"])


def test_what_it_refers_to_is_there(described: dict[str, Any]) -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            found = {value["$ref"]} if "$ref" in value else set()
            return found.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    schemas = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert references(described) <= schemas
    assert described["servers"] == [{"url": "/v1"}]
    assert described["components"]["securitySchemes"]["certificate"] == {"type": "mutualTLS"}
