"""The SOAP port of the PDP beside a bare uvicorn: XACML-SAML queries over mutual TLS, as the PEP daemon sends them.

``argus serve`` with a policy of 1,000 resources, logs written; the request has what the profile point adds, and comes
back with the answer. The yardstick reads the same bytes and says hello.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from argus_py.model.response import Decision
from argus_py.soap import envelope, saml
from argus_py.soap.saml import AuthzDecisionQuery
from argus_py.xacml import context_xml
from benchmarks import hello, pilots
from benchmarks.load import clients
from benchmarks.policies import ACTION, GROUP, SUBJECT, pilot_request
from benchmarks.processes import serving
from benchmarks.rounds import Case, Target, measure, rows
from benchmarks.servers import serving_argus
from benchmarks.tables import show
from demo.site import make_site

_RESOURCE = "ce1_249"
_CLIENTS = 4
_ROUNDS = 5
_MAX_ANSWER = 1 << 20
_CASES = (Case("kept alive, 1 client", True, 1, 400), Case("kept alive, 4 clients", True, _CLIENTS, 800))


def main(root: Path) -> None:
    site = make_site(root)
    crew = [replace(each, bodies=(_query(),)) for each in pilots.identities(site, _CLIENTS, _RESOURCE)]
    files = map(str, (*site.host, site.certificates))
    with (
        serving_argus(site) as argus,
        serving([sys.executable, "-m", "benchmarks.hello", "uvicorn", "tls", *files], urls=1) as bare,
        clients(crew) as working,
    ):
        targets = Target(argus, argus.port("PDP"), _is_permit), Target(bare, bare.port("hello"), _is_hello)
        results = {case: measure(case, targets, working, _ROUNDS) for case in _CASES}
    show(
        "Decisions by SOAP over mutual TLS",
        "argus",
        "uvicorn hello",
        [row for case, (ours, yardstick) in results.items() for row in rows(case, ours, yardstick)],
    )


def _query() -> bytes:
    asked = pilot_request(_RESOURCE, ACTION, SUBJECT, "dteam", (GROUP, f"{GROUP}/analysis"))
    context = context_xml.write_request(asked)
    query = AuthzDecisionQuery("_benchmark", "https://localhost/pepd", datetime.now(UTC), context)
    return envelope.write(saml.authz_decision_query_to_element(query), "soap11")


def _is_permit(answer: bytes) -> bool:
    response = saml.authz_decision_response_from_element(envelope.read(answer, _MAX_ANSWER))
    return response.results[0].decision is Decision.PERMIT and response.in_response_to == "_benchmark"


def _is_hello(answer: bytes) -> bool:
    return answer == hello.ANSWER
