"""GeneralName of RFC 5280 section 4.2.1.6: names of a certificate, a constraint, a holder."""

from dataclasses import dataclass

from argus_py.credentials import der, names

EMAIL, DNS, URI, IP, DIRECTORY = 0x81, 0x82, 0x86, 0x87, 0xA4  # tags
_FORMS = {EMAIL: "e-mail address", DNS: "DNS name", URI: "URI", IP: "IP address"}


@dataclass(frozen=True, slots=True)
class GeneralName:
    """``value`` is the content of the GeneralName; a directory name holds one DER Name."""

    tag: int
    value: bytes

    def __str__(self) -> str:
        if self.tag == DIRECTORY:
            return names.read_name(self.value).readable()
        return f"{_FORMS.get(self.tag, f'name of form {self.tag & 0x1F}')} {self.value[:100]!r}"


def read_general_names(encoded: bytes) -> tuple[GeneralName, ...]:
    """The elements of a GeneralNames SEQUENCE. Raises DerError."""
    return tuple(GeneralName(tag, value) for tag, value, _ in der.elements(der.content(encoded, der.SEQUENCE)))
