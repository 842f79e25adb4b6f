"""The REST interface asked with whatever its OpenAPI document allows, and with what it does not.

No answer is a failure of ours, each has a status and a body that are documented, and what is refused changes nothing.
"""

import uuid
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.routing import Mount

from argus_py.model.dn import DistinguishedName
from argus_py.pap.administration import ensure_default_pap
from argus_py.pap.authorization import ANYONE, Acl, Admin, Gate, Permission
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote
from argus_py.pap.ports import PolicyRepository
from argus_py.pap.use_cases import UseCases
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.store.memory import MemoryPolicies
from argus_py.store.sql.engine import open_policies
from argus_py.store.sql.repository import SqlPolicies
from argus_py.web.pap_rest import MOUNTED, pap_rest
from argus_py.web.pap_rest.admission import SPL
from argus_py.web.pap_services import Callers

ADMIN = Admin(DistinguishedName.parse_slash("/CN=admin"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def new_id() -> str:
    return str(uuid.uuid4())


@schemathesis.serializer(SPL)
def as_sent(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def served(policies: PolicyRepository) -> Starlette:
    gate = Gate(lambda: Acl(((ANYONE, Permission.ALL),)))  # whatever becomes of the one in the store
    use_cases = UseCases.of(policies, gate, DEFAULT_MAPPINGS, new_id, lambda _pap: None)
    rest = pap_rest(use_cases, Callers(lambda _scope: ADMIN, gate), DEFAULT_MAPPINGS)
    return Starlette(routes=[Mount(MOUNTED, rest)])


DESCRIBED = schemathesis.openapi.from_asgi(f"{MOUNTED}/openapi.json", served(MemoryPolicies()))


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> SqlPolicies:
    policies = open_policies(f"sqlite:///{tmp_path_factory.mktemp('store')}/policies.db")
    ensure_default_pap(policies, new_id)
    with policies.change(Note("test", "set up")) as writer:
        writer.add_pap(Pap("far-1", "far", remote=Remote("far.example.org")))
    return policies


@pytest.fixture(scope="module")
def app(policies: SqlPolicies) -> Starlette:
    return served(policies)


@DESCRIBED.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_is_our_failure_and_what_is_refused_changes_nothing(
    case: schemathesis.Case[Any], app: Starlette, policies: SqlPolicies
) -> None:
    # Nothing is mounted for Starlette at a path with a line break: such a request never comes to the interface.
    assume("\n" not in unquote(case.formatted_path))
    before = policies.revision()
    answer = case.call(app=app)
    case.validate_response(answer, checks=CHECKS)
    if answer.status_code >= 400:
        assert policies.revision() == before
