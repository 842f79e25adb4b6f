"""The text of ``argus check-credential``: the chain as a tree, every check with its result, the verdict.

Certificates have numbers, the trust anchor first, which the checks refer to. Whatever comes from a certificate is
printed with control characters escaped.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from argus_py.credentials.certificate import Certificate
from argus_py.credentials.checks import Check
from argus_py.credentials.crl import Crl
from argus_py.credentials.explanation import ExplainedAttributes, ExplainedChain
from argus_py.credentials.namespaces import NamespaceFormat
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import Rejection, UnreadableCredential
from argus_py.credentials.trust import Problem, TrustAnchors
from argus_py.credentials.voms import VomsAttributes
from argus_py.model.dn import escape_controls

_LABEL_WIDTH: Final = 12
_INDENT: Final = "   "
_SIGNATURES: Final = {
    oid: name.replace("_WITH_", " with ")
    for name, oid in vars(SignatureAlgorithmOID).items()
    if not name.startswith("_")
}


def heading(file: str, trust_dir: Path, now: datetime) -> str:
    name = "standard input" if file == "-" else file
    return escape_controls(f"{name}: judged on {_time(now)} with {trust_dir}")


def chain_sections(explained: ExplainedChain, trust: TrustAnchors, now: datetime) -> Iterator[Iterable[str]]:
    """The tree from the trust anchor down, what is wrong with the files about it, the checks."""
    links = tuple(dict.fromkeys(reversed(explained.links)))  # a trust anchor by itself is a chain of it twice
    yield _tree_lines(links, trust, now)
    problems = _problems(links, trust)
    if problems:
        yield "PROBLEMS OF THE TRUST DIRECTORY", *(f"    {escape_controls(str(problem))}" for problem in problems)
    yield "CHECKS OF THE CHAIN", *_check_lines(explained, links)


def attribute_lines(number: int, explained: ExplainedAttributes, now: datetime) -> Iterator[str]:
    """One attribute certificate and its checks."""
    yield f"ATTRIBUTE CERTIFICATE {number}"
    content = explained.content
    if content is not None:
        yield _field("VO", f"{content.vo}, from {content.host}:{content.port}")
        yield _field("server", content.issuer.slash())
        yield _field("holder", f"{content.holder.slash()}, serial {content.holder_serial:#x}")
        yield _field("valid", _period(content.not_before, content.not_after, now))
        yield _field("targets", "every host" if content.targets is None else ", ".join(content.targets))
        for position, fqan in enumerate(content.fqans):
            yield _field("FQANs" if position == 0 else "", fqan)
    yield from _check_lines(explained, ())


def refusal_lines(what: str, refusal: Rejection) -> Iterator[str]:
    """Why ``what`` is refused: class, certificate at fault, code, sentence, clause."""
    yield f"REFUSED: {what}"
    yield _field("class", type(refusal).__name__)
    if refusal.subject is not None:
        yield _field("certificate", refusal.subject.slash())
    yield _field("code", refusal.code)
    yield _field("reason", refusal.reason)
    yield _field("rule", refusal.clause)


def good_lines(chain: VerifiedChain, attributes: Sequence[VomsAttributes] | None, now: datetime) -> Iterator[str]:
    """Who this is to the daemons; ``attributes`` None: nobody has looked at attribute certificates."""
    if attributes is None:
        yield "GOOD: the chain; attribute certificates were not looked at"
    elif attributes:
        yield "GOOD: the chain and every attribute certificate in it"
    else:
        yield "GOOD: the chain; there is no attribute certificate in it"
    yield _field("subject", chain.subject.slash())
    yield _field("RFC 2253", chain.subject.rfc2253())
    until = min([chain.not_after, *(one.not_after for one in attributes or ())])
    left = f"{_span(until - now)} left" if now <= until else "now in its minutes of grace"
    yield _field("until", f"{_time(until)}, {left}")
    if attributes:
        yield _field("VO", attributes[0].vo)
        yield _field("primary FQAN", attributes[0].fqans[0])


def _field(label: str, value: str, indent: str = "") -> str:
    return f"{indent}    {label:<{_LABEL_WIDTH}} {escape_controls(value)}"


def _read(field: Callable[[], str]) -> str:
    """A field of a certificate that may be refused for this very field."""
    try:
        return field()
    except UnreadableCredential as error:
        return f"unreadable, {error.reason}"


# --- Certificates


def _tree_lines(links: Sequence[Certificate], trust: TrustAnchors, now: datetime) -> Iterator[str]:
    yield "CHAIN"
    top = links[0]
    if top not in trust.anchors:
        yield f"[-] unknown issuer  {escape_controls(top.issuer.slash())}"
        if hashes := _issuer_hashes(top):
            yield _field("files", " and ".join(f"no {hash_}.N" for hash_ in hashes))
    for depth, link in enumerate(links):
        indent = _INDENT * depth
        branch = f"{_INDENT * (depth - 1)}`- " if depth else ""
        yield f"{branch}[{depth + 1}] {_role(link, trust)}  {escape_controls(link.subject.slash())}"
        yield from (_field(label, value, indent) for label, value in _certificate_fields(link, trust, now))


def _role(link: Certificate, trust: TrustAnchors) -> str:
    if link in trust.anchors:
        return "trust anchor"
    try:
        if link.proxy is not None:
            limit = "" if link.proxy.path_length is None else f", {link.proxy.path_length} more allowed"
            return f"{'limited ' if link.proxy.limited else ''}proxy, {link.proxy.type.value}{limit}"
        return "CA" if link.is_ca else "end entity"
    except UnreadableCredential:
        return "unreadable"


def _certificate_fields(link: Certificate, trust: TrustAnchors, now: datetime) -> Iterator[tuple[str, str]]:
    yield "RFC 2253", link.subject.rfc2253()
    yield "serial", _read(lambda: _serial(link.serial))
    yield "valid", _read(lambda: _period(link.not_before, link.not_after, now))
    yield "key", f"{_key(link)}, signed by {_signature(link)}"
    if link in trust.anchors:
        yield "files", " and ".join(f"{hash_}.N" for hash_ in link.hashes)
    if _role(link, trust) in ("CA", "trust anchor"):
        yield from (("CRL", state) for state in _crl_states(link, trust, now))
        yield "namespaces", _namespaces(link, trust)


def _serial(serial: int) -> str:
    return f"{serial} ({serial:#x})"


def _period(not_before: datetime, not_after: datetime, now: datetime) -> str:
    if now < not_before:
        state = f"begins in {_span(not_before - now)}"
    elif now > not_after:
        state = f"expired {_span(now - not_after)} ago"
    else:
        state = f"{_span(not_after - now)} left"
    return f"{_time(not_before)} to {_time(not_after)}, {state}"


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _span(time: timedelta) -> str:
    if time >= timedelta(days=2):
        return f"{time.days} days"
    hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
    return f"{hours} h {minutes:02} min"


def _key(link: Certificate) -> str:
    match link.public_key:
        case rsa.RSAPublicKey() as key:
            return f"RSA {key.key_size} bits"
        case ec.EllipticCurvePublicKey() as key:
            return f"EC {key.curve.name}"
        case None:
            return "of an unknown kind"
        case key:
            return type(key).__name__.removesuffix("PublicKey")


def _signature(link: Certificate) -> str:
    oid = link.x509.signature_algorithm_oid
    return _SIGNATURES.get(oid, oid.dotted_string)


# --- What the trust directory says of a CA


def _crl_states(ca: Certificate, trust: TrustAnchors, now: datetime) -> Iterator[str]:
    unreadable = trust.unreadable_crl(ca)
    if unreadable is not None:
        yield f"cannot be read: {unreadable.problem}"
    crls = trust.crls_of(ca.subject)
    if not crls and unreadable is None:
        yield "missing, what it has issued counts as not revoked"
    yield from (_crl_state(crl, ca, trust, now) for crl in crls)


def _crl_state(crl: Crl, ca: Certificate, trust: TrustAnchors, now: datetime) -> str:
    if not trust.is_proven(crl) and not crl.is_signed_by(ca):
        return "not signed by this CA"
    if crl.unusable is not None:
        return f"cannot be used: {crl.unusable}"
    if crl.next_update is None:
        return f"of {_time(crl.this_update)}, never outdated"
    if now > crl.next_update:
        return f"outdated since {_time(crl.next_update)}"
    return f"valid until {_time(crl.next_update)}, {_span(crl.next_update - now)} left"


def _namespaces(ca: Certificate, trust: TrustAnchors) -> str:
    files = [file for format_ in NamespaceFormat if (file := trust.namespace_file(ca, format_))]
    if not files:
        return "no file, it may sign every name"
    return ", ".join(f"{file.name} ({file.problem})" if file.problem else file.name for file in files)


def _problems(links: Sequence[Certificate], trust: TrustAnchors) -> list[Problem]:
    """With the files of the CAs of the chain, which are named by their hashes."""
    hashes = {hash_ for link in links for hash_ in _issuer_hashes(link)}
    return [problem for problem in trust.problems if problem.file.partition(".")[0] in hashes]


def _issuer_hashes(link: Certificate) -> tuple[str, ...]:
    try:
        return link.issuer_hashes
    except UnreadableCredential:  # a damaged text: it can be compared and printed, but OpenSSL has no hash for it
        return ()


# --- Checks


def _check_lines(explained: ExplainedChain | ExplainedAttributes, links: Sequence[Certificate]) -> Iterator[str]:
    for check in explained.checks:
        result = "ok" if check.refusal is None else "FAILED"
        yield f"    {result:<7} {_which(check, explained.verdict, links)}{escape_controls(check.rule)}"


def _which(check: Check, verdict: object, links: Sequence[Certificate]) -> str:
    """The number of the certificate that was looked at, its name if it is not shown, nothing if there is none."""
    at_fault = check.refusal.subject if check.refusal is not None and check.refusal is verdict else None
    for number, link in enumerate(links, start=1):
        if link == check.certificate or link.subject == at_fault:
            return f"[{number}] "
    judged = check.certificate or check.refusal
    return f"{escape_controls(judged.subject.slash())}: " if judged and judged.subject else ""
