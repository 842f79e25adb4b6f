from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import pytest

VECTORS = Path(__file__).parents[2] / "vectors" / "soap"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@pytest.fixture(scope="session")
def vector() -> Callable[[str], bytes]:
    """The bytes of a recorded message."""
    return lambda name: (VECTORS / name).read_bytes()


@pytest.fixture(scope="session")
def canonical() -> Callable[[bytes], str]:
    """Equal for documents that say the same: prefixes and white space between elements do not count."""

    def canonical(xml: bytes) -> str:
        return canonicalize(
            xml.decode(),
            strip_text=True,
            rewrite_prefixes=True,
            qname_aware_attrs=[XSI_TYPE],
            qname_aware_tags=["faultcode"],
        )

    return canonical
