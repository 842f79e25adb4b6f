import pytest

from argus_py.credentials import proxy
from argus_py.credentials.proxy import ProxyInfo, ProxyType
from argus_py.model.dn import DistinguishedName


@pytest.mark.parametrize(
    ("encoded", "limited", "length"),
    [
        ("300c300a06082b06010505071501", False, None),
        ("300f020101300a06082b06010505071501", False, 1),
        ("3012020101300d060b2b060104019b5001010109", True, 1),
        ("300c300a06082b06010505071502", False, None),  # independent: as full
        ("3010300e06082b060105050715000402 6869", False, None),  # any language, with a policy
    ],
)
def test_rfc_information_is_read(encoded: str, limited: bool, length: int | None) -> None:
    assert proxy.read_rfc_info(bytes.fromhex(encoded)) == ProxyInfo(ProxyType.RFC, limited, length)


def test_draft_information_has_another_order_and_a_tag() -> None:
    encoded = bytes.fromhex("3011300a06082b06010505071501a103020101")
    assert proxy.read_draft_info(encoded) == ProxyInfo(ProxyType.DRAFT, limited=False, path_length=1)
    with pytest.raises(ValueError, match="ParseError"):
        proxy.read_rfc_info(encoded)


def test_a_negative_length_is_no_length() -> None:
    with pytest.raises(ValueError, match="path length -1"):
        proxy.read_rfc_info(bytes.fromhex("300f0201ff300a06082b06010505071501"))


@pytest.mark.parametrize(
    ("name", "limited"),
    [
        ("/CN=U/CN=proxy", False),
        ("/CN=U/CN=Proxy", False),
        ("/CN=U/CN=limited proxy", True),
        ("/CN=U/CN=LIMITED PROXY", True),
        ("/CN=U/CN=proxy2", None),
        ("/CN=proxy/CN=U", None),
        ("/CN=U/OU=proxy", None),
        ("/CN=U/CN=proxy+OU=x", None),
    ],
)
def test_a_legacy_proxy_is_known_by_its_last_name(name: str, limited: bool | None) -> None:
    info = proxy.legacy_info(DistinguishedName.parse_slash(name))
    assert info == (None if limited is None else ProxyInfo(ProxyType.LEGACY, limited))


def test_nobody_is_no_proxy() -> None:
    assert proxy.legacy_info(DistinguishedName(())) is None
