"""FQANs as the Java class reads them, and the patterns of map files."""

import pytest

from argus_py.model.fqan import MAX_LENGTH, Fqan, FqanPattern, FqanSyntaxError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/vo", Fqan("/vo")),
        (" /vo/ ", Fqan("/vo")),
        ("/vo//sub", Fqan("/vo/sub")),
        ("/vo/ /sub", Fqan("/vo/sub")),
        ("/vo/Role=pilot", Fqan("/vo", "pilot")),
        ("/vo/ROLE= pilot ", Fqan("/vo", "pilot")),
        ("/vo/Role=a/sub", Fqan("/vo/sub", "a")),
        ("/Role=a/vo", Fqan("/vo", "a")),
        ("/vo/Role=NULL/Capability=NULL", Fqan("/vo")),
        ("/vo/role=null/capability=Null", Fqan("/vo")),
        ("/vo/Role=", Fqan("/vo")),
        ("/vo/Foo=", Fqan("/vo")),
        ("/vo/Role==", Fqan("/vo")),
        ("/vo/Capability=c/Role=r", Fqan("/vo", "r", "c")),
        ("/vo/Role=*", Fqan("/vo", "*")),
        ("/VO/Sub", Fqan("/VO/Sub")),
        ("/vo /Role=r", Fqan("/vo", "r")),
        ("/vo\u00a0", Fqan("/vo\u00a0")),
    ],
)
def test_reads_what_the_java_class_reads(text: str, expected: Fqan) -> None:
    assert Fqan.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "vo",
        "vo/Role=x",
        "/",
        "//",
        "/Role=a",
        "/vo/Role=a/Role=b",
        "/vo/Role=a/role=NULL",
        "/vo/Capability=a/Capability=a",
        "/vo/Foo=bar",
        "/vo/=x",
        "/vo/=",
        "/vo/Role=a=b",
        "/vo/" + "a" * MAX_LENGTH,
    ],
)
def test_refuses_what_the_java_class_refuses(text: str) -> None:
    with pytest.raises(FqanSyntaxError) as refusal:
        Fqan.parse(text)
    assert refusal.value.text == text


@pytest.mark.parametrize(
    ("fqan", "text"),
    [
        (Fqan("/vo"), "/vo"),
        (Fqan("/vo/sub", "r"), "/vo/sub/Role=r"),
        (Fqan("/vo", "r", "c"), "/vo/Role=r/Capability=c"),
        (Fqan("/vo", capability="c"), "/vo/Capability=c"),
    ],
)
def test_text_leaves_out_what_is_null(fqan: Fqan, text: str) -> None:
    assert str(fqan) == text


@pytest.mark.parametrize(
    ("pattern", "fqan"),
    [
        ("/vo", "/vo"),
        ("/vo", "/vo/Role=NULL/Capability=x"),
        ("/vo/Capability=y", "/vo/Capability=x"),
        ("/vo/*", "/vo"),
        ("/vo/*", "/vo/a/b"),
        ("/vo/Role=*", "/vo"),
        ("/vo/Role=*", "/vo/Role=x"),
        ("/vo/*/Role=*", "/vo/a/Role=x"),
        ("/vo/*/Role=prod", "/vo/Role=prod"),
    ],
)
def test_pattern_matches(pattern: str, fqan: str) -> None:
    assert FqanPattern.parse(pattern).matches(Fqan.parse(fqan))


@pytest.mark.parametrize(
    ("pattern", "fqan"),
    [
        ("/vo", "/vo/sub"),
        ("/vo", "/vo/Role=x"),
        ("/vo", "/VO"),
        ("/vo/*", "/vo2"),
        ("/vo/*", "/vo/Role=x"),
        ("/vo/Role=x", "/vo"),
        ("/vo/Role=x", "/vo/Role=X"),
        ("/vo/Role=*", "/vo/sub/Role=x"),
        ("/vo/sub/*", "/vo"),
    ],
)
def test_pattern_does_not_match(pattern: str, fqan: str) -> None:
    assert not FqanPattern.parse(pattern).matches(Fqan.parse(fqan))


@pytest.mark.parametrize("pattern", ["/*", "/vo*", "/a/*/b", "/*/x", "/vo/*/*", "/vo/Role=p*", "/vo/Role=**", "vo", ""])
def test_star_elsewhere_is_no_pattern(pattern: str) -> None:
    with pytest.raises(FqanSyntaxError) as refusal:
        FqanPattern.parse(pattern)
    assert refusal.value.text == pattern
