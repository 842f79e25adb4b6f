"""Conversions of strings (XACML 2.0 appendix A.3.3) and their concatenation (A.3.9)."""

from collections.abc import Mapping
from typing import Final

from argus_py.xacml.functions.signature import ANY_URI, FUNCTION_1_0, FUNCTION_2_0, STRING, Function
from argus_py.xacml.outcome import Fault
from argus_py.xacml.values import trim

MAX_LENGTH: Final = 1 << 20  # characters of a concatenation, as many as a whole request may have


def _concatenation(*texts: str) -> str | Fault:
    if sum(map(len, texts)) > MAX_LENGTH:
        return Fault(f"a concatenation is longer than {MAX_LENGTH} characters")
    return "".join(texts)


_URI_CONCATENATION: Final = Function((ANY_URI, STRING), ANY_URI, _concatenation, rest=STRING)

FUNCTIONS: Final[Mapping[str, Function]] = {
    f"{FUNCTION_1_0}string-normalize-space": Function((STRING,), STRING, trim),  # at the ends, as the standard says
    f"{FUNCTION_1_0}string-normalize-to-lower-case": Function((STRING,), STRING, str.lower),
    f"{FUNCTION_2_0}string-concatenate": Function((STRING, STRING), STRING, _concatenation, rest=STRING),
    f"{FUNCTION_2_0}uri-string-concatenate": _URI_CONCATENATION,
    f"{FUNCTION_2_0}url-string-concatenate": _URI_CONCATENATION,  # the standard has both names
}
