"""Remote PAPs as the source of a PDP's policy."""

import logging
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from argus_py.clients.pap import HttpPolicySource, HttpRemotePap, NoPolicy, PapFailed
from argus_py.model.trail import REQUEST_ID
from argus_py.pap.federation import UnusableAnswer
from argus_py.soap import envelope, saml
from argus_py.soap.saml import PolicyQuery
from argus_py.xacml.policy import Policy, PolicySet

FIRST = "https://pap1.example.org:8150/pap/services/ProvisioningService"
SECOND = "https://pap2.example.org:8150/pap/services/ProvisioningService"
QUERY_ID = "_14a90c7fe12bf0415229cabd93cd1961"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = "root-default-00000001-0000-4000-8000-000000000001"


def fetch(peer: Any, *urls: str) -> PolicySet:
    return HttpPolicySource(urls or (FIRST,), "urn:pdp", peer.transport(), lambda: NOW, lambda: QUERY_ID).fetch()


def failure(peer: Any) -> str:
    with pytest.raises(NoPolicy) as caught:
        fetch(peer)
    (failed,) = caught.value.failures
    assert failed.url == FIRST
    return str(failed)


def test_the_query_is_that_of_a_pdp(peer: Any, vector: Callable[[str], bytes]) -> None:
    pap = peer(httpx.Response(200, content=vector("pap/response-empty.xml")))
    fetch(pap)
    query = saml.policy_query_from_element(envelope.read(pap.requests[0].content, 10_000))
    assert query == PolicyQuery(QUERY_ID, "urn:pdp", NOW)


@pytest.mark.parametrize(("name", "paps"), [("policies", 1), ("two-paps", 2), ("empty", 1)])
def test_the_policies_of_a_java_pap_are_read(name: str, paps: int, peer: Any, vector: Callable[[str], bytes]) -> None:
    policy = fetch(peer(httpx.Response(200, content=vector(f"pap/response-{name}.xml"))))
    assert (policy.id, len(policy.children)) == (ROOT, paps)


def test_the_next_pap_is_asked_only_after_a_failure(peer: Any, vector: Callable[[str], bytes]) -> None:
    pap = peer(httpx.Response(200, content=vector("pap/response-empty.xml")))
    fetch(pap, FIRST, SECOND)
    assert [str(request.url) for request in pap.requests] == [FIRST]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.Response(503, content=b"busy"),
        httpx.Response(200, content=b"<html/>"),
        "fault-not-authorized",
        "response-error-version",
    ],
)
def test_the_next_pap_is_asked_after_any_failure(
    answer: httpx.Response | Exception | str, peer: Any, vector: Callable[[str], bytes]
) -> None:
    if isinstance(answer, str):
        answer = httpx.Response(500 if "fault" in answer else 200, content=vector(f"pap/{answer}.xml"))
    pap = peer(answer, httpx.Response(200, content=vector("pap/response-empty.xml")))
    assert fetch(pap, FIRST, SECOND).id == ROOT
    assert [str(request.url) for request in pap.requests] == [FIRST, SECOND]


def test_a_policy_that_cannot_be_used_leads_to_the_next_pap(peer: Any, vector: Callable[[str], bytes]) -> None:
    good = vector("pap/response-policies.xml")
    bad = good.replace(b"function:string-equal", b"function:string-unequal")
    pap = peer(httpx.Response(200, content=bad), httpx.Response(200, content=good))
    assert fetch(pap, FIRST, SECOND).id == ROOT
    assert len(pap.requests) == 2


def test_a_fault_is_told_in_the_words_operators_know(peer: Any, vector: Callable[[str], bytes]) -> None:
    text = failure(peer(httpx.Response(500, content=vector("pap/fault-not-authorized.xml"))))
    assert text.startswith(f"Recieved SOAP Fault Server.userException from PAP endpoint: {FIRST}: ")
    assert text.endswith("Insufficient privileges to perform operation 'GetPoliciesForPDPOperation'.")


def test_a_pap_that_cannot_be_reached_is_told_in_the_words_operators_know(peer: Any) -> None:
    assert (
        failure(peer(httpx.ConnectError("refused"))) == f"Unable to complete request to PAP endpoint: {FIRST}: refused"
    )


def test_a_refusal_is_told_with_its_reason(peer: Any, vector: Callable[[str], bytes]) -> None:
    text = failure(peer(httpx.Response(200, content=vector("pap/response-error-no-issuer.xml"))))
    assert text.endswith("status:Requester: The Issuer element must be present")


def test_an_answer_to_another_query_is_refused(peer: Any, vector: Callable[[str], bytes]) -> None:
    xml = vector("pap/response-empty.xml").replace(QUERY_ID.encode(), b"_another")
    assert failure(peer(httpx.Response(200, content=xml))).endswith(f"it answers the query _another, not {QUERY_ID}")


def test_when_all_paps_fail_each_is_named(peer: Any) -> None:
    with pytest.raises(NoPolicy) as caught:
        fetch(peer(httpx.ConnectError("refused")), FIRST, SECOND)
    assert FIRST in str(caught.value)
    assert SECOND in str(caught.value)


def test_the_logs_know_a_fetch_by_the_id_of_its_query(
    peer: Any, vector: Callable[[str], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    class LoggedId(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            logged.append((REQUEST_ID.get(), record.getMessage()))
            return True

    logged: list[tuple[str | None, str]] = []
    caplog.set_level(logging.INFO, "argus_py.clients.pap")
    caplog.handler.addFilter(LoggedId())
    ids = iter((f"_{'f' * 32}", QUERY_ID))
    pap = peer(httpx.ConnectError("refused"), httpx.Response(200, content=vector("pap/response-empty.xml")))
    HttpPolicySource((FIRST, SECOND), "urn:pdp", pap.transport(), lambda: NOW, lambda: next(ids)).fetch()
    assert logged == [
        (None, "Refreshing XACML policy from remote PAPs"),
        (f"_{'f' * 32}", f"Unable to complete request to PAP endpoint: {FIRST}: refused"),
        (QUERY_ID, f"policies received from {SECOND}"),
    ]
    assert REQUEST_ID.get() is None


def test_the_pap_that_gave_the_policy_is_known(peer: Any, vector: Callable[[str], bytes]) -> None:
    pap = peer(httpx.ConnectError("refused"), httpx.Response(200, content=vector("pap/response-empty.xml")))
    source = HttpPolicySource((FIRST, SECOND), "urn:pdp", pap.transport(), lambda: NOW, lambda: QUERY_ID)
    assert source.used is None
    source.fetch()
    assert source.used == SECOND


def test_a_pap_that_failed_a_moment_ago_is_asked_last_until_there_is_a_sign_of_life(
    peer: Any, vector: Callable[[str], bytes]
) -> None:
    now = 1000.0
    good = httpx.Response(200, content=vector("pap/response-empty.xml"))
    pap = peer(httpx.ConnectError("refused"), good)
    source = HttpPolicySource(
        (FIRST, SECOND), "urn:pdp", pap.transport(), lambda: NOW, lambda: QUERY_ID, monotonic=lambda: now
    )

    def asked() -> list[str]:
        pap.requests.clear()
        source.fetch()
        return [str(request.url) for request in pap.requests]

    assert asked() == [FIRST, SECOND]
    assert asked() == [SECOND]
    now += 29.9
    assert asked() == [SECOND]
    now += 0.1
    assert asked() == [FIRST]
    pap.answers.insert(0, httpx.ConnectError("refused"))
    assert asked() == [FIRST, SECOND]
    source.trust_again(FIRST)
    assert asked() == [FIRST]


def test_when_all_have_failed_they_are_asked_in_their_order(peer: Any) -> None:
    pap = peer(httpx.ConnectError("refused"))
    source = HttpPolicySource((FIRST, SECOND), "urn:pdp", pap.transport(), lambda: NOW, lambda: QUERY_ID)
    for _ in range(2):
        with pytest.raises(NoPolicy):
            source.fetch()
    assert [str(request.url) for request in pap.requests] == [FIRST, SECOND] * 2


def test_the_digest_is_that_of_the_policies_and_not_of_the_answer(peer: Any, vector: Callable[[str], bytes]) -> None:
    answer = vector("pap/response-policies.xml")
    later = answer.replace(b"04:00:00.459Z", b"05:00:00.459Z")
    other = answer.replace(b"public_", b"private_")
    digests = []
    for each in (answer, later, other):
        pap = peer(httpx.Response(200, content=each))
        source = HttpPolicySource((FIRST,), "urn:pdp", pap.transport(), lambda: NOW, lambda: QUERY_ID)
        source.fetch()
        digests.append(source.digest)
    assert digests[0] == digests[1] != digests[2]


REMOTE = "https://central.example.org:8150/pap/services/ProvisioningService"


def copied(peer: Any) -> tuple[PolicySet | Policy, ...]:
    return HttpRemotePap(REMOTE, "https://us.example.org/pap", peer.transport(), lambda: NOW, lambda: "_12345").fetch()


def test_the_query_for_a_copy_is_that_of_a_pap(peer: Any, vector: Callable[[str], bytes]) -> None:
    pap = peer(httpx.Response(200, content=vector("pap/response-to-pap.xml")))
    copied(pap)
    query = saml.policy_query_from_element(envelope.read(pap.requests[0].content, 10_000))
    assert query == PolicyQuery("_12345", "https://us.example.org/pap", NOW, from_pap=True)
    assert str(pap.requests[0].url) == REMOTE


def test_all_that_a_java_pap_makes_public_is_read(peer: Any, vector: Callable[[str], bytes]) -> None:
    elements = copied(peer(httpx.Response(200, content=vector("pap/response-to-pap.xml"))))
    assert [type(element).__name__ for element in elements] == ["PolicySet"] * 4 + ["Policy"] * 2
    assert [len(element.rules) for element in elements if isinstance(element, Policy)] == [1, 2]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.Response(503, content=b"busy"), "HTTP status 503"),
        (httpx.Response(200, content=b"<html/>"), "no answer of a PAP: Unable to unmarshall message"),
        ("fault-not-authorized", "org.glite.authz.pap.authz.exceptions.PAPAuthzException: Insufficient privileges"),
        ("response-error-no-issuer", "no answer of a PAP: it answers the query"),
    ],
)
def test_a_pap_that_gives_no_copy_is_told_with_the_reason(
    answer: httpx.Response | Exception | str, reason: str, peer: Any, vector: Callable[[str], bytes]
) -> None:
    if isinstance(answer, str):
        answer = httpx.Response(500 if "fault" in answer else 200, content=vector(f"pap/{answer}.xml"))
    with pytest.raises(PapFailed) as caught:
        copied(peer(answer))
    assert str(caught.value).startswith(reason)
    assert caught.value.url == REMOTE


def test_a_refusal_of_a_copy_is_told(peer: Any, vector: Callable[[str], bytes]) -> None:
    xml = vector("pap/response-error-no-issuer.xml").replace(QUERY_ID.encode(), b"_12345")
    with pytest.raises(PapFailed, match=r"the SAML status is .*Requester: The Issuer element must be present"):
        copied(peer(httpx.Response(200, content=xml)))


@pytest.mark.parametrize(
    ("old", "new", "culprit"),
    [
        (
            b"function:string-equal",
            b"function:string-unequal",
            "Policy 'public_00000011-0000-4000-8000-000000000011': ",
        ),
        (b"<xacml:Policy ", b"<xacml:Polic ", None),
        (
            b'PolicySetId="00000020-0000-4000-8000-000000000020" Version="1"><xacml:Target>',
            b'PolicySetId="00000020-0000-4000-8000-000000000020" Version="1"><xacml:Ban/><xacml:Target>',
            "PolicySet '00000020-0000-4000-8000-000000000020': ",
        ),
        (b"</saml2:Statement>", b"<ban>x</ban></saml2:Statement>", "ban 'without id': "),
    ],
)
def test_an_element_that_cannot_be_read_is_the_culprit(
    old: bytes, new: bytes, culprit: str | None, peer: Any, vector: Callable[[str], bytes]
) -> None:
    xml = re.sub(rb">\s+<", b"><", vector("pap/response-to-pap.xml"))
    assert old in xml
    with pytest.raises(PapFailed if culprit is None else UnusableAnswer) as caught:
        copied(peer(httpx.Response(200, content=xml.replace(old, new))))
    assert str(caught.value).startswith(culprit or "no answer of a PAP: ")


def test_rules_that_are_known_are_not_read_again(peer: Any, vector: Callable[[str], bytes]) -> None:
    pap = peer(httpx.Response(200, content=vector("pap/recorded-pap-query.response.xml")))
    remote = HttpRemotePap(REMOTE, "us", pap.transport(), lambda: NOW, lambda: "_0123456789abcdef")
    first, second = remote.fetch(), remote.fetch()
    assert first == second
    rules = [[rule for each in answer if isinstance(each, Policy) for rule in each.rules] for answer in (first, second)]
    assert len(rules[0]) == 4
    assert all(map(operator.is_, *rules))
