"""Copies of other PAPs: what their answers mean, when one cannot be used, and how it takes the place of the last one.

An answer is a flat list: the first PolicySet is the root, whose references give the order of the resources, and each of
them refers to its actions. It is taken whole or not at all; what makes it unusable is named, and the copy stays as it
is: an answer of which a part is left out might have lost a ban. So a reference to nothing is a defect as well: a Java
PAP that is asked while it renews a copy of its own gives such answers. What the answer has and refers to from nowhere
is kept with the copy, without effect.

Resources that local paps of ours have are not taken back: PAPs that copy each other would else keep alive what was
removed where it came from.

BETTER: a Java PAP deletes its copy, then stores the answer piece by piece, and leaves it half way at the first defect.

Source: argus-pap:src/main/java/org/glite/authz/pap/distribution/DistributionModule.java, PAPClient.java
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from argus_py.errors import MalformedInput
from argus_py.pap.editing import Resources
from argus_py.pap.forest import within
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap
from argus_py.pap.ports import MAX_ID_LENGTH, PolicyReader, PolicyRepository
from argus_py.xacml.index import Known, compile_policy
from argus_py.xacml.policy import Combining, Policy, PolicySet
from argus_py.xacml.references import PolicyTooLarge, resolve

Element = PolicySet | Policy


class UnusableAnswer(MalformedInput):
    """What a remote PAP has now cannot become a copy because of one ``element``, by its ``id``; carries ``reason``."""

    def __init__(self, element: str, id: str, reason: str) -> None:
        super().__init__(f"{element} {id[:MAX_ID_LENGTH]!r}: {reason}")
        self.element = element
        self.id = id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Copy:
    """What an answer makes of a pap.

    ``loose``: what the answer refers to from nowhere. ``ours``: the ids of resources that were left out because local
    paps have them. ``sought`` is what reading its values came to, by which the next answer is checked faster.
    """

    resources: Resources
    loose: tuple[Element, ...]
    ours: tuple[str, ...]
    sought: Known


def copy_of(answer: Sequence[Element], ours: Collection[str], before: Copy | None = None) -> Copy | None:
    """None for an answer without any element, which says nothing. ``ours``: the ids of resources of local paps.

    Raises UnusableAnswer.
    """
    if not answer:
        return None
    root = _root(answer)
    others = [element for element in answer if element != root]  # also if it comes twice
    tree = _tree(root, others)
    used = {_name(part) for part in within(tree)}
    loose = tuple(dict.fromkeys(element for element in others if _name(element) not in used))
    resources = _resources(tree)
    _check_ids(part for whole in (*resources, *loose) for part in within(whole))
    compiled = compile_policy(tree, before.sought if before else {})
    if compiled.defects:
        defect = compiled.defects[0]
        raise UnusableAnswer("element", defect.path[-1], str(defect))
    return Copy(
        tuple(resource for resource in resources if resource.id not in ours),
        loose,
        tuple(resource.id for resource in resources if resource.id in ours),
        compiled.sought,
    )


def ids_of_ours(reader: PolicyReader) -> frozenset[str]:
    """Of the resources of local paps."""
    return frozenset(resource.id for pap in reader.paps() if pap.is_local for resource in reader.resources(pap))


def take_up(repository: PolicyRepository, pap: Pap, copy: Copy) -> bool:
    """Make it the policies of the pap, in one transaction; False: they are so already, or it is another pap by now.

    Raises Unavailable.
    """
    with repository.read() as reader:
        if _is_so(reader, pap, copy):
            return False
    with repository.change(Note(f"refresh of {pap.alias}", f"refresh-cache {pap.alias}", pap.alias)) as writer:
        if _is_so(writer, pap, copy):
            return False
        for current in writer.paps():
            if _is_still(current, pap):
                writer.store(replace(current, version=current.version + 1), copy.resources, copy.loose)
                return True
    return False


def _is_so(reader: PolicyReader, pap: Pap, copy: Copy) -> bool:
    """Quick where the two share their rules."""
    return (reader.resources(pap), reader.loose(pap)) == (copy.resources, copy.loose)


def _is_still(current: Pap, pap: Pap) -> bool:
    """Whether it is still copied from there."""
    return (current.id, current.remote) == (pap.id, pap.remote)


def _root(answer: Sequence[Element]) -> PolicySet:
    """COMPAT: the first set, wherever it stands."""
    root = next((element for element in answer if isinstance(element, PolicySet)), None)
    if root is None:
        raise UnusableAnswer("Policy", answer[0].id, "there is no PolicySet, which would give the order")
    plain = PolicySet(root.id, Combining.POLICIES_FIRST_APPLICABLE, root.children, version=root.version)
    if replace(root, description=None) != plain:
        reason = "it is the first one, and has a target, an obligation or another algorithm than first-applicable"
        raise UnusableAnswer("PolicySet", root.id, reason)
    return root


def _tree(root: PolicySet, others: Sequence[Element]) -> PolicySet:
    """With its resources and their actions in place of the references."""
    try:
        resolved = resolve(root, others)
    except PolicyTooLarge as error:
        raise UnusableAnswer("PolicySet", root.id, str(error)) from error
    if resolved.broken:
        broken = resolved.broken[0]
        raise UnusableAnswer("PolicySet", broken.path[-1], broken.reason)
    return resolved.root


def _name(element: Element) -> tuple[type[Element], str]:
    return type(element), element.id


def _check_ids(elements: Iterable[Element]) -> None:
    """Each is there once, and can be stored and shown."""
    seen: set[tuple[type[Element], str]] = set()
    for element in elements:
        _check_id(type(element).__name__, element.id)
        if _name(element) in seen:
            raise UnusableAnswer(type(element).__name__, element.id, "it is referred to from several places")
        seen.add(_name(element))
        if isinstance(element, Policy):
            _check_rules(element)


def _check_rules(policy: Policy) -> None:
    for id, times in Counter(rule.id for rule in policy.rules).items():
        _check_id("Rule", id)
        if times > 1:
            raise UnusableAnswer("Rule", id, f"policy {policy.id} has several rules of this id")


def _check_id(element: str, id: str) -> None:
    if not 0 < len(id) <= MAX_ID_LENGTH or not id.isprintable():
        raise UnusableAnswer(element, id, f"an id has 1 to {MAX_ID_LENGTH} printable characters")


def _resources(tree: PolicySet) -> Resources:
    for child in tree.children:
        if not isinstance(child, PolicySet):
            raise UnusableAnswer("Policy", child.id, "it stands among the resources, which are policy sets")
    return tuple(child for child in tree.children if isinstance(child, PolicySet))
