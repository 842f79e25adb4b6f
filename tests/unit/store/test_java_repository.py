"""Repositories of Java PAPs, made from the recorded trees in the layout of its files."""

import copy
from pathlib import Path

import pytest
from lxml import etree

from argus_py.pap.forest import MAX_DEPTH
from argus_py.pap.listing import ListingRequest, listing
from argus_py.pap.paps import Pap
from argus_py.spl.attributes import DEFAULT_MAPPINGS
from argus_py.spl.printer import Ids
from argus_py.store.java_repository import BadRepository, StoredPolicies, read_policies, write_policies
from argus_py.xacml.policy import Policy, PolicySet
from argus_py.xacml.policy_elements import POLICY_NAMESPACE

VECTORS = Path(__file__).parents[2] / "vectors" / "spl"
TREES = sorted(VECTORS.glob("[0-9]*.xacml.xml"))
X = f"{{{POLICY_NAMESPACE}}}"
DEFAULT = Pap("default-1", "default", enabled=True, public=True)


def store(folder: Path, element: etree._Element) -> None:
    """One object as a file: redundant declarations on children, the element right behind the XML declaration."""
    kind = etree.QName(element).localname
    stored = copy.deepcopy(element)
    for name in ("PolicySet", "Policy"):
        for child in stored.findall(X + name):
            store(folder, child)
            reference = etree.Element(X + f"{name}IdReference", nsmap={"xacml": POLICY_NAMESPACE})
            reference.text = child.get(f"{name}Id")
            stored.replace(child, reference)
    text = etree.tostring(stored, encoding="unicode").replace(
        "<xacml:Target", f'<xacml:Target xmlns:xacml="{POLICY_NAMESPACE}"'
    )
    (folder / f"{kind}_{stored.get(f'{kind}Id')}.xml").write_text(f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def java_repository(repository: Path, tree: Path) -> Pap:
    """The repository of the PAP that the tree was recorded from; gives its pap ``default``."""
    root = etree.fromstring(tree.read_bytes(), etree.XMLParser(remove_blank_text=True)).find(X + "PolicySet")
    assert root is not None
    pap = Pap(root.get("PolicySetId", ""), "default", enabled=True, public=True)
    folder = repository / pap.id
    folder.mkdir(parents=True)
    store(folder, root)
    return pap


@pytest.mark.parametrize("tree", TREES, ids=lambda path: path.name[:3])
def test_a_java_repository_is_listed_as_its_own_pap_admin_listed_it(tree: Path, tmp_path: Path) -> None:
    pap = java_repository(tmp_path, tree)
    stored = read_policies(tmp_path, pap)
    recorded = tree.with_name(tree.name.replace(".xacml.xml", ".lp-sai.txt")).read_text()
    assert listing(pap, stored.resources, ListingRequest(ids=Ids.RULES), DEFAULT_MAPPINGS) == recorded
    assert stored.left_out == ()


@pytest.mark.parametrize("tree", TREES, ids=lambda path: path.name[:3])
def test_what_is_written_is_read_again(tree: Path, tmp_path: Path) -> None:
    pap = java_repository(tmp_path / "java", tree)
    stored = read_policies(tmp_path / "java", pap)
    (tmp_path / "ours").mkdir()
    written = Pap(pap.id, pap.alias, version=stored.version)
    write_policies(tmp_path / "ours", written, stored.resources)
    assert read_policies(tmp_path / "ours", written) == stored
    names = [{file.name for file in (tmp_path / side / pap.id).iterdir()} for side in ("java", "ours")]
    assert names[0] == names[1]


def test_a_written_file_is_laid_out_as_in_java(tmp_path: Path) -> None:
    write_policies(tmp_path, DEFAULT, ())
    assert (tmp_path / "default-1" / "PolicySet_default-1.xml").read_text() == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<xacml:PolicySet xmlns:xacml="{POLICY_NAMESPACE}" '
        'PolicyCombiningAlgId="urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:first-applicable" '
        'PolicySetId="default-1" Version="0">\n    <xacml:Target/>\n</xacml:PolicySet>\n'
    )


def problems(repository: Path, pap: Pap = DEFAULT) -> list[str]:
    with pytest.raises(BadRepository) as refusal:
        read_policies(repository, pap)
    return [problem.replace(f"{repository}/", "") for problem in refusal.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pap with the resource ``r`` of the action ``public_a``."""
    first = "urn:oasis:names:tc:xacml:1.0:{}-combining-algorithm:first-applicable"
    action = Policy("public_a", first.format("rule"))
    write_policies(tmp_path, DEFAULT, (PolicySet("r", first.format("policy"), (action,)),))
    return tmp_path / "default-1"


def test_objects_without_a_reference_are_left_out_and_told(folder: Path) -> None:
    policy = (folder / "Policy_public_a.xml").read_text()
    (folder / "Policy_public_b.xml").write_text(policy)
    (folder / "notes.txt").write_text("no object")
    stored = read_policies(folder.parent, DEFAULT)
    assert stored.left_out == ("Policy_public_b.xml",)
    assert [policy.id for resource in stored.resources for policy in resource.policies()] == ["public_a"]


def test_a_missing_policy_is_a_problem(folder: Path) -> None:
    (folder / "Policy_public_a.xml").unlink()
    assert problems(folder.parent) == ["default-1/Policy_public_a.xml: named by r: No such file or directory"]


def test_policy_sets_within_each_other_are_read_and_written_whole(folder: Path) -> None:
    """Java gives them to PDPs whole, and a ban may stand in them."""
    (resource,) = read_policies(folder.parent, DEFAULT).resources
    outer = PolicySet("outer", resource.combining, (resource,))
    pap = Pap("other-2", "other")
    write_policies(folder.parent, pap, (outer,))
    names = {file.name for file in (folder.parent / pap.id).iterdir()}
    assert names == {"PolicySet_other-2.xml", "PolicySet_outer.xml", "PolicySet_r.xml", "Policy_public_a.xml"}
    assert read_policies(folder.parent, pap) == StoredPolicies(0, (outer,), ())


def test_a_missing_policy_set_within_another_is_a_problem(folder: Path) -> None:
    file = folder / "PolicySet_r.xml"
    policy = "<xacml:PolicyIdReference>public_a</xacml:PolicyIdReference>"
    file.write_text(
        file.read_text().replace(policy, "<xacml:PolicySetIdReference>gone</xacml:PolicySetIdReference>" + policy)
    )
    assert problems(folder.parent) == ["default-1/PolicySet_gone.xml: named by r: No such file or directory"]


def test_policy_sets_in_a_circle_are_a_problem(folder: Path) -> None:
    file = folder / "PolicySet_r.xml"
    file.write_text(
        file.read_text().replace(
            "PolicyIdReference>public_a</xacml:PolicyIdReference", "PolicySetIdReference>r</xacml:PolicySetIdReference"
        )
    )
    assert problems(folder.parent) == ["default-1/PolicySet_r.xml: named by r, and by another reference"]


def test_policy_sets_are_not_followed_without_end(folder: Path) -> None:
    (resource,) = read_policies(folder.parent, DEFAULT).resources
    for number in range(MAX_DEPTH):
        resource = PolicySet(f"set-{number}", resource.combining, (resource,))
    pap = Pap("other-2", "other")
    write_policies(folder.parent, pap, (resource,))
    assert problems(folder.parent, pap) == [f"other-2: r is nested in more than {MAX_DEPTH} policy sets"]


def test_a_truncated_file_is_a_problem(folder: Path) -> None:
    file = folder / "PolicySet_r.xml"
    file.write_text(file.read_text()[:200])
    (problem,) = problems(folder.parent)
    assert problem.startswith("default-1/PolicySet_r.xml: ")


def test_a_file_that_holds_another_object_is_a_problem(folder: Path) -> None:
    file = folder / "PolicySet_r.xml"
    file.write_text(file.read_text().replace('PolicySetId="r"', 'PolicySetId="s"'))
    assert problems(folder.parent) == ["default-1/PolicySet_r.xml: holds 's'"]


def test_a_resource_that_is_referenced_twice_is_a_problem(folder: Path) -> None:
    file = folder / "PolicySet_default-1.xml"
    reference = "<xacml:PolicySetIdReference>r</xacml:PolicySetIdReference>"
    file.write_text(file.read_text().replace(reference, reference * 2))
    assert problems(folder.parent) == ["default-1/PolicySet_r.xml: named by default-1, and by another reference"]


@pytest.mark.parametrize("id", ["../default-1", "/etc", "", ".", "a/b"])
def test_ids_do_not_lead_out_of_the_folder(folder: Path, id: str) -> None:
    assert problems(folder.parent, Pap(id, "default")) == [f"the id {id!r} cannot be part of a file name"]
    with pytest.raises(BadRepository):
        write_policies(folder.parent, Pap(id, "default"), ())


def test_a_pap_that_has_no_folder_is_a_problem(tmp_path: Path) -> None:
    assert problems(tmp_path) == ["default-1/PolicySet_default-1.xml: the root of the pap: No such file or directory"]


@pytest.mark.parametrize("version", ["1.5", "9" * 5000])
def test_a_version_that_is_no_integer_starts_again(folder: Path, version: str) -> None:
    file = folder / "PolicySet_default-1.xml"
    file.write_text(file.read_text().replace('Version="0"', f'Version="{version}"'))
    stored = read_policies(folder.parent, DEFAULT)
    assert stored == StoredPolicies(1, stored.resources, ())
