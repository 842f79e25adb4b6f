"""Whom a question is about, and the JSON object that asks it.

From a proxy file only the certificates are taken: the private key in it does not leave the machine.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from argus_py.errors import MalformedInput

Profile: TypeAlias = Literal["grid-wn", "grid-ce", "common"]

MAX_FILE: Final = 64 * 1024  # octets; a ten-level proxy chain with several attribute certificates stays below 40 KiB
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class UnusableSubject(MalformedInput):
    """No certificates can be taken from ``file``; ``reason`` says why."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class PrivateKeyGiven(MalformedInput):
    """There is a private key among the certificates; it has not left the machine."""

    def __init__(self) -> None:
        super().__init__("there is a private key among the certificates; from_file takes certificates alone")


@dataclass(frozen=True, slots=True)
class Certificates:
    """A subject by its chain: PEM blocks, the proxy first. Raises PrivateKeyGiven."""

    pem: str

    def __post_init__(self) -> None:
        if "PRIVATE KEY-----" in self.pem:
            raise PrivateKeyGiven

    @classmethod
    def from_file(cls, file: Path) -> "Certificates":
        """The certificates of a proxy file in their order, and nothing else of it. Raises UnusableSubject."""
        try:
            with file.open("rb") as opened:
                octets = opened.read(MAX_FILE + 1)
        except OSError as error:
            raise UnusableSubject(file, error.strerror or str(error)) from error
        if len(octets) > MAX_FILE:
            raise UnusableSubject(file, f"it has more than {MAX_FILE} octets")
        blocks = _blocks(octets.decode("latin-1"))
        if not blocks:
            raise UnusableSubject(file, "there is no certificate in it")
        if not blocks.isascii():
            raise UnusableSubject(file, "a certificate in it is no PEM text")
        return cls(blocks)


def _blocks(text: str) -> str:
    """The certificate blocks alone.

    INVARIANT: nothing of a private key. A block with a dash in it is not what it seems, such as one that is cut and has
    a key behind it; it is left out.
    """
    blocks: list[str] = []
    block: list[str] | None = None
    for line in map(str.strip, text.splitlines()):
        if line == _BEGIN:
            block = [line]
        elif block is not None and line == _END:
            blocks += [*block, line]
            block = None
        elif block is not None:
            if "-" in line:
                block = None
            else:
                block.append(line)
    return "".join(f"{line}\n" for line in blocks)


@dataclass(frozen=True, slots=True)
class Named:
    """A subject by its DN (RFC 2253, or with slashes) and FQANs, the primary one first.

    Daemons believe it only where their information points do not want certificates.
    """

    dn: str
    fqans: tuple[str, ...] = ()


Subject: TypeAlias = Certificates | Named


def write_question(
    subject: Subject, resource: str, action: str, profile: Profile, pilot: Certificates | None = None
) -> bytes:
    """``pilot``: who asks on behalf of the subject."""
    asked: dict[str, object] = {"resource": resource, "action": action, "profile": profile}
    if isinstance(subject, Certificates):
        asked["certificates"] = subject.pem
    else:
        asked |= {"subject": subject.dn, "fqans": subject.fqans}
    if pilot is not None:
        asked["pilot_certificates"] = pilot.pem
    return json.dumps(asked).encode()
