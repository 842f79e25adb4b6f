"""LSC files: which chain of names a VOMS server of a VO must show.

A chain is pairs of subject and issuer, the server's first. Alternatives, for the days when a server changes its
certificate, are separated by a line of dashes around NEXT CHAIN.

BETTER: any such line separates; the Java releases read it three different ways, and the deployed one makes a single
long chain of it that never matches.

Source: voms-api-java:src/main/java/org/italiangrid/voms/store/impl/DefaultLSCFileParser.java
"""

import re
from collections.abc import Sequence

from argus_py.errors import MalformedInput
from argus_py.model.dn import DistinguishedName, DnSyntaxError

MAX_FILE_LENGTH = 64 * 1024  # real files hold a few hundred characters

LscChain = tuple[tuple[DistinguishedName, DistinguishedName], ...]  # (subject, issuer), the server's pair first

_NEXT_CHAIN = re.compile(r"-+ *NEXT CHAIN *-+", re.IGNORECASE)


class LscSyntaxError(MalformedInput):
    """An LSC file that describes no chain; carries ``line`` (0: the whole file) and ``reason``."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


def parse_lsc(text: str) -> tuple[LscChain, ...]:
    """The alternative chains, at least one.

    Raises LscSyntaxError: no name at all, an odd number of names in a chain, a name that cannot be read.
    """
    if len(text) > MAX_FILE_LENGTH:
        raise LscSyntaxError(0, f"{len(text)} characters; {MAX_FILE_LENGTH} are allowed")
    chains: list[list[DistinguishedName]] = [[]]
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip()
        if content.startswith("/"):
            chains[-1].append(_name(number, content))
        elif _NEXT_CHAIN.fullmatch(content):
            chains.append([])
    described = tuple(_pairs(names) for names in chains if names)
    if not described:
        raise LscSyntaxError(0, "no name in it")
    return described


def matches(chain: LscChain, shown: Sequence[tuple[DistinguishedName, DistinguishedName]]) -> bool:
    """Whether the subjects and issuers of the certificates shown are those of the chain, certificate by certificate."""
    return len(chain) == len(shown) and all(
        subject.loosely_equal(shown_subject) and issuer.loosely_equal(shown_issuer)
        for (subject, issuer), (shown_subject, shown_issuer) in zip(chain, shown, strict=True)
    )


def _name(number: int, text: str) -> DistinguishedName:
    try:
        return DistinguishedName.parse_slash(text)
    except DnSyntaxError as error:
        raise LscSyntaxError(number, str(error)) from error


def _pairs(names: list[DistinguishedName]) -> LscChain:
    if len(names) % 2:
        raise LscSyntaxError(0, f"a chain of {len(names)} names; subjects and issuers come in pairs")
    return tuple(zip(names[::2], names[1::2], strict=True))
