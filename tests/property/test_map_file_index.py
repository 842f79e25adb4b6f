"""Look-ups in a map file give what going through its lines one by one gives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.pep.mapping.checks import shadowed_lines
from argus_py.pep.mapping.map_file import MapFile, parse_map_file

GROUPS = st.lists(st.sampled_from(["vo", "a", "b"]), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
ROLES = st.sampled_from(["", "/Role=x", "/Role=y", "/Role=NULL/Capability=c"])
FQANS = st.builds(lambda group, role: Fqan.parse(group + role), GROUPS, ROLES)
PATTERNS = st.builds(
    lambda group, star, role: group + star + role, GROUPS, st.sampled_from(["", "/*"]), ROLES | st.just("/Role=*")
)
NAMES = st.sampled_from(["C=CH", "c=ch", "CN=A", "CN=a ", "DC=x", "DC=X", "O=\u00df", "O=ss"])
DNS = st.lists(NAMES, min_size=1, max_size=3)
DN_KEYS = st.one_of(DNS.map(lambda parts: "/" + "/".join(parts)), DNS.map(lambda parts: ",".join(reversed(parts))))


DOUBTFUL_KEYS = st.sampled_from(["/CN=*", "CN=*", "/CN=a/XX=b", "no name", "/"])


NO_LINES = MapFile()


def map_file(keys: list[str], before: MapFile = NO_LINES) -> MapFile:
    text = "\n".join(f'"{key.strip()}" t{number}' for number, key in enumerate(dict.fromkeys(keys)))
    return parse_map_file(text, "map", before)


@settings(max_examples=200, deadline=None)
@given(st.lists(PATTERNS, unique_by=str.strip, max_size=25), st.lists(FQANS, max_size=3))
def test_index_of_fqans_is_the_linear_scan(keys: list[str], fqans: list[Fqan]) -> None:
    read = map_file(keys)
    one_by_one = [e for e in read.entries if e.pattern is not None and any(map(e.pattern.matches, fqans))]
    assert list(read.of_fqan(*fqans)) == one_by_one


@settings(max_examples=200, deadline=None)
@given(st.lists(DN_KEYS, unique_by=str.strip, max_size=25), DNS)
def test_index_of_dns_is_the_linear_scan(keys: list[str], parts: list[str]) -> None:
    read = map_file(keys)
    dn = DistinguishedName.parse_slash("/" + "/".join(parts))
    assert list(read.of_dn(dn)) == [entry for entry in read.entries if entry.names(dn)]
    repeated = {entry.line for _, entry in read.repeated_names()}
    for entry in read.of_dn(dn)[1:]:
        assert entry.line in repeated


@settings(max_examples=200, deadline=None)
@given(st.lists(PATTERNS | DN_KEYS, unique_by=str.strip, max_size=25), FQANS, DNS)
def test_line_told_to_have_no_effect_is_never_the_first(keys: list[str], fqan: Fqan, parts: list[str]) -> None:
    read = map_file(keys)
    without_effect = {problem.line for problem in shadowed_lines(read)}
    dn = DistinguishedName.parse_slash("/" + "/".join(parts))
    for found in (read.of_fqan(fqan), read.of_dn(dn)):
        assert not without_effect.intersection(entry.line for entry in found[:1])


@settings(max_examples=200, deadline=None)
@given(*[st.lists(PATTERNS | DN_KEYS | DOUBTFUL_KEYS, unique_by=str.strip, max_size=25)] * 2)
def test_new_version_reads_as_if_there_had_been_no_older_one(keys: list[str], older: list[str]) -> None:
    renewed, fresh = map_file(keys, map_file(older)), map_file(keys)
    assert renewed == fresh
    assert renewed.sound_dns() == fresh.sound_dns()
