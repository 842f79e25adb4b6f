"""What is known of a function before any request: the types of its arguments and of its result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from argus_py.model.identifiers import DataType
from argus_py.xacml.outcome import Matched
from argus_py.xacml.values import Reader, Value

FUNCTION_1_0: Final = "urn:oasis:names:tc:xacml:1.0:function:"
FUNCTION_2_0: Final = "urn:oasis:names:tc:xacml:2.0:function:"


@dataclass(frozen=True, slots=True)
class Type:
    """``datatype`` is the principal name of a data type. A bag is a tuple of values."""

    datatype: str
    is_bag: bool = False

    def __str__(self) -> str:
        return f"a bag of {self.datatype}" if self.is_bag else self.datatype

    @property
    def bag(self) -> "Type":
        return Type(self.datatype, is_bag=True)

    @property
    def element(self) -> "Type":
        return Type(self.datatype)


STRING: Final = Type(DataType.STRING)
BOOLEAN: Final = Type(DataType.BOOLEAN)
INTEGER: Final = Type(DataType.INTEGER)
DOUBLE: Final = Type(DataType.DOUBLE)
TIME: Final = Type(DataType.TIME)
DATE: Final = Type(DataType.DATE)
DATE_TIME: Final = Type(DataType.DATE_TIME)
ANY_URI: Final = Type(DataType.ANY_URI)
X500_NAME: Final = Type(DataType.X500_NAME)
RFC822_NAME: Final = Type(DataType.RFC822_NAME)
IP_ADDRESS: Final = Type(DataType.IP_ADDRESS)
DNS_NAME: Final = Type(DataType.DNS_NAME)
DAY_TIME_DURATION: Final = Type(DataType.DAY_TIME_DURATION)
YEAR_MONTH_DURATION: Final = Type(DataType.YEAR_MONTH_DURATION)
FQAN: Final = Type(DataType.FQAN)

# The types that have equality, bag and set functions, with the word for them in the names of functions.
NAMED: Final = (
    ("string", STRING),
    ("boolean", BOOLEAN),
    ("integer", INTEGER),
    ("double", DOUBLE),
    ("date", DATE),
    ("time", TIME),
    ("dateTime", DATE_TIME),
    ("dayTimeDuration", DAY_TIME_DURATION),
    ("yearMonthDuration", YEAR_MONTH_DURATION),
    ("anyURI", ANY_URI),
    ("x500Name", X500_NAME),
    ("rfc822Name", RFC822_NAME),
    ("hexBinary", Type(DataType.HEX_BINARY)),
    ("base64Binary", Type(DataType.BASE64_BINARY)),
)

Test = Callable[[Value], Matched]


@dataclass(frozen=True, slots=True)
class Function:
    """``call`` takes values of the types told and gives one of type ``result``, or a Fault.

    ``rest``: any number of further arguments of this type may follow. ``lazy``: ``call`` takes functions that give the
    values instead, because not all arguments are always evaluated. ``bind`` makes the test that remains when the first
    of two arguments is known, and raises MalformedInput if that one can only be an error. ``reads``: how a Match reads
    the values of the request, where it is more careful than their data type.
    """

    parameters: tuple[Type, ...]
    result: Type
    call: Callable[..., object]
    rest: Type | None = None
    lazy: bool = False
    bind: Callable[[Value], Test] | None = None
    reads: Reader | None = None

    def accepts(self, types: Sequence[Type]) -> bool:
        missing = len(types) - len(self.parameters)
        if missing < 0 or (missing and self.rest is None):
            return False
        return all(
            given == wanted for given, wanted in zip(types, (*self.parameters, *[self.rest] * missing), strict=True)
        )

    def apply(self, *values: object) -> object:
        """The result for values that are all there."""
        return self.call(*(partial(_same, value) for value in values)) if self.lazy else self.call(*values)


def _same(value: object) -> object:
    return value
