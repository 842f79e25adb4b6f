"""An XACML attribute: identifier, data type, issuer and the bag of its values."""

from dataclasses import dataclass

from argus_py.model.identifiers import DataType


@dataclass(frozen=True, slots=True)
class Attribute:
    """Values keep the order received; ``datatype`` is a URI and never missing (the wire's "none" is xs:string)."""

    id: str
    values: tuple[str, ...]
    datatype: str = DataType.STRING
    issuer: str | None = None
