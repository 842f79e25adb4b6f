"""One Match against one request: which values are looked at (XACML 2.0 section 5), and the test of them.

All values of an attribute are read before any is compared: one unreadable value spoils the attribute, because skipping
it could step over a ban.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from argus_py.errors import MalformedInput
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import SubjectCategory
from argus_py.model.request import Request
from argus_py.xacml.functions import Test, function_of, prepare_test
from argus_py.xacml.outcome import Fault, Matched
from argus_py.xacml.policy import AttributeDesignator, Category, Match
from argus_py.xacml.values import DATATYPES, Reader, Value

# Category, subject category ("" for the others), AttributeId, DataType, Issuer (None: whoever): all compared as text.
BagKey = tuple[str, str, str, str, str | None]

_SUBJECT: Final = Category.SUBJECT.value
_RESOURCE: Final = Category.RESOURCE.value
_ACTION: Final = Category.ACTION.value
_ENVIRONMENT: Final = Category.ENVIRONMENT.value


class UnknownDataType(MalformedInput):
    """An attribute of the request has a ``datatype`` that no policy could ask for, a ban neither."""

    def __init__(self, attribute_id: str, datatype: str) -> None:
        super().__init__(f"attribute {attribute_id!r} of the request has the unknown data type {datatype!r}")
        self.attribute_id = attribute_id
        self.datatype = datatype


class RequestAttributes:
    """The bags of a request; values are read when a policy asks for them, and once per request.

    COMPAT: several Subjects of one category are pooled, and so are several Resources.

    Raises UnknownDataType: whatever the policies say.
    """

    def __init__(self, request: Request) -> None:
        self._texts: dict[BagKey, list[str]] = {}
        self._values: dict[tuple[BagKey, Reader], tuple[Value, ...] | Fault] = {}
        for subject in request.subjects:
            self._add(_SUBJECT, subject.category or SubjectCategory.ACCESS_SUBJECT, subject.attributes)
        for resource in request.resources:
            self._add(_RESOURCE, "", resource.attributes)
        if request.action is not None:
            self._add(_ACTION, "", request.action.attributes)
        if request.environment is not None:
            self._add(_ENVIRONMENT, "", request.environment.attributes)

    def _add(self, category: str, subject_category: str, attributes: Iterable[Attribute]) -> None:
        for attribute in attributes:
            if attribute.datatype not in DATATYPES:
                raise UnknownDataType(attribute.id, attribute.datatype)
            for issuer in {None, attribute.issuer}:
                key = (category, subject_category, attribute.id, attribute.datatype, issuer)
                self._texts.setdefault(key, []).extend(attribute.values)

    def values(self, bag: BagKey, read: Reader) -> tuple[Value, ...] | Fault:
        """The values of a bag, in the order of the request; empty if the attribute is missing."""
        found = self._values.get((bag, read))
        if found is None:
            found = self._values[bag, read] = self._read(bag, read)
        return found

    def _read(self, bag: BagKey, read: Reader) -> tuple[Value, ...] | Fault:
        try:
            return tuple(read(text) for text in self._texts.get(bag, ()))
        except MalformedInput as error:
            return Fault(f"the request cannot be read: {bag[2]}: {error}")


@dataclass(frozen=True, slots=True)
class PreparedMatch:
    """A Match whose policy value has been read.

    COMPAT: a value that cannot be read does not make the policy unusable; ``test`` is then a Fault, which counts when
    the attribute is there.
    """

    bag: BagKey
    read: Reader
    test: Test | Fault
    must_be_present: bool

    @classmethod
    def of(cls, match: Match) -> "PreparedMatch":
        """Raises UnknownFunction."""
        function = function_of(match)
        test: Test | Fault
        try:
            test = prepare_test(match)
        except MalformedInput as error:
            test = Fault(f"the policy cannot be read: {match.designator.attribute_id}: {error}")
        return cls(_bag_of(match.designator), function.read, test, match.designator.must_be_present)

    def matched(self, attributes: RequestAttributes) -> Matched:
        values = attributes.values(self.bag, self.read)
        if not values:
            return Fault(f"the attribute {self.bag[2]} is missing") if self.must_be_present else False
        if isinstance(self.test, Fault):
            return self.test
        if isinstance(values, Fault):
            return values
        return any(map(self.test, values))


def _bag_of(designator: AttributeDesignator) -> BagKey:
    subject_category = designator.subject_category if designator.category is Category.SUBJECT else ""
    return (
        designator.category.value,
        subject_category,
        designator.attribute_id,
        designator.datatype,
        designator.issuer,
    )
