"""A bound on public key operations, which a hostile chain of many certificates of one name could make many of."""

from argus_py.credentials.certificate import Certificate
from argus_py.credentials.crl import Crl
from argus_py.credentials.rejections import BrokenChain

MAX_SIGNATURES = 40  # twice the certificates of the longest chain; an honest chain needs one per certificate


class SignatureBudget:
    """For the judgement of one chain."""

    def __init__(self) -> None:
        self._left = MAX_SIGNATURES

    def is_signed(self, signed: Certificate | Crl, issuer: Certificate) -> bool:
        """Whether the signature verifies with the issuer's key. Raises BrokenChain: the budget is spent."""
        if not self._left:
            raise BrokenChain(
                "invalidCertificatePath",
                f"more than {MAX_SIGNATURES} signatures would have to be verified",
                issuer.subject,
            )
        self._left -= 1
        return signed.is_signed_by(issuer)
