"""Has the issuer taken the certificate back? Looked at where there is a CRL of the issuer (canl's mode IF_VALID).

No CRL file: nothing is known and the certificate passes, as in Java. A CRL that is there and cannot be relied on
refuses: outdated, signed by somebody else, unreadable. If fetch-crl fails for too long, all users of that CA are out.

Lists of one CA may stand side by side, one per key or distribution point: the newest must be in date, and whoever is
in any that is in date is refused.

BETTER: the text says which CRL expired when; Java speaks of a bad signature. An unreadable CRL file refuses, where canl
takes it for absent.
"""

from argus_py.credentials.budget import SignatureBudget
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.checks import Checks
from argus_py.credentials.crl import Crl
from argus_py.credentials.moment import Moment
from argus_py.credentials.rejections import RevocationUnknown, Revoked
from argus_py.credentials.trust import TrustAnchors


def check(
    certificate: Certificate,
    issuer: Certificate,
    trust: TrustAnchors,
    moment: Moment,
    budget: SignatureBudget,
    *,
    checks: Checks,
) -> None:
    """Raises Revoked: the CRL lists the certificate; RevocationUnknown: there is a CRL, but none to rely on."""
    crls = trust.crls_of(issuer.subject)
    if not crls:
        unreadable = trust.unreadable_crl(issuer)
        if unreadable is not None:
            raise _unknown(certificate, f"cannot be read: {unreadable.problem}")
        checks.passed("no CRL of its issuer, taken as not revoked", certificate)
        return
    signed = [crl for crl in crls if trust.is_proven(crl) or budget.is_signed(crl, issuer)]
    if not signed:
        raise _unknown(certificate, "is not signed by this CA")
    usable = [crl for crl in signed if crl.unusable is None]
    if not usable:
        raise _unknown(certificate, f"cannot be used: {signed[0].unusable}")
    covering = [crl for crl in usable if crl.covers(certificate)]
    if not covering:
        checks.passed("no CRL for certificates of its kind, taken as not revoked", certificate)
        return
    newest = max(covering, key=lambda crl: crl.this_update)
    if newest.is_outdated(moment):
        raise _unknown(certificate, f"expired on {newest.next_update:%Y-%m-%d %H:%M:%S} UTC")
    for crl in covering:
        if not crl.is_outdated(moment):
            _check_not_listed(certificate, crl)
    checks.passed("not revoked, by a CRL in date", certificate)


def check_anchor(anchor: Certificate, trust: TrustAnchors, checks: Checks) -> None:
    """A sub CA in the trust directory is refused when listed; that its root's CRL is outdated is no matter here.

    Raises Revoked: as it says.
    """
    if not anchor.is_self_issued:
        for crl in trust.crls_of(anchor.issuer):
            if trust.is_proven(crl) and crl.unusable is None:
                _check_not_listed(anchor, crl)
        checks.passed("not revoked by the CA above it", anchor)


def _check_not_listed(certificate: Certificate, crl: Crl) -> None:
    revocation = crl.revocation(certificate.serial)
    if revocation is not None:
        raise Revoked("certRevoked", revocation, certificate.subject)


def _unknown(certificate: Certificate, reason: str) -> RevocationUnknown:
    text = f"The CRL of {certificate.issuer.readable()} {reason}"
    return RevocationUnknown("crlVerifyFailed", text, certificate.subject)
