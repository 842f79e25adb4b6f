"""Lease names are those of Argus, and of LCMAPS where the two agree."""

import json
from pathlib import Path

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.pep.mapping.lease_name import lease_name

LCMAPS = json.loads((Path(__file__).parents[3] / "vectors" / "mapping" / "lcmaps.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", LCMAPS, ids=lambda vector: vector["lease"][-40:])
def test_lcmaps_finds_our_lease(vector: dict[str, str]) -> None:
    assert lease_name(DistinguishedName.parse_slash(vector["dn"]), list(vector["groups"])) == vector["lease"]


@pytest.mark.parametrize(
    ("dn", "encoded"),
    [
        ("CN=John Doe,O=Example,C=CH", "%2fc%3dch%2fo%3dexample%2fcn%3djohn%20doe"),
        ("EMAILADDRESS=j@x.org,CN=J", "%2fcn%3dj%2femailaddress%3dj%40x%2eorg"),
        ("CN=Robot: ganga,DC=ch", "%2fdc%3dch%2fcn%3drobot%3a%20ganga"),
        ("CN=é,C=CH", "%2fc%3dch%2fcn%3d%5cxc3%5cxa9"),
        ("CN=a\tb\x7f", "%2fcn%3da%5cx9b%7f"),
        ("CN=A+UID=b,C=CH", "%2fc%3dch%2fuid%3db%2fcn%3da"),
        ("T=Dr,SURNAME=S,GIVENNAME=G,CN=x", "%2fcn%3dx%2fgn%3dg%2fsn%3ds%2ft%3ddr"),
        (
            "DNQ=q,INITIALS=i,SERIALNUMBER=5,1.2.3=y",
            "%2f1%2e2%2e3%3dy%2fserialnumber%3d5%2finitials%3di%2fdnqualifier%3dq",
        ),
        (
            "CN=!\\\"\\#$%&'()*\\+\\,-./:\\;\\<\\=\\>?@[\\\\]^_`{|}~",
            "%2fcn%3d%21%22%23%24%25%26%27%28%29%2a%2b%2c%2d%2e%2f%3a%3b%3c%3d%3e%3f%40%5b%5c%5d%5e%5f%60%7b%7c%7d%7e",
        ),
    ],
)
def test_dn_is_encoded_in_lower_case(dn: str, encoded: str) -> None:
    assert lease_name(DistinguishedName.parse_rfc2253(dn), ()) == encoded


def test_groups_follow_as_they_are() -> None:
    name = DistinguishedName.parse_rfc2253("CN=a")
    assert lease_name(name, ("LTE", "my group", "LTE", "zp")) == "%2fcn%3da:LTE:my group:LTE:zp"
