"""One Match against one request: the test of the values of one attribute (XACML 2.0 section 7.5)."""

from dataclasses import dataclass

from argus_py.errors import MalformedInput
from argus_py.model.identifiers import DataType, DciSec, StatusUri
from argus_py.xacml.datatypes import READERS, principal_name
from argus_py.xacml.functions import FUNCTIONS, FunctionUri, match_function
from argus_py.xacml.functions.signature import Function, Test
from argus_py.xacml.outcome import Fault, Matched
from argus_py.xacml.policy import AttributeDesignator, AttributeSelector, Match
from argus_py.xacml.request_attributes import RequestAttributes, Source, source_of
from argus_py.xacml.values import Reader, Value, trim


class UnusableValue(MalformedInput):
    """The value of a Match, or its data type, can only be an error when the attribute is there."""


@dataclass(frozen=True, slots=True)
class _Holds:
    """A test like any function of two arguments."""

    function: Function
    first: Value

    def __call__(self, second: Value) -> Matched:
        result = self.function.apply(self.first, second)
        assert isinstance(result, bool | Fault)
        return result


@dataclass(frozen=True, slots=True)
class PreparedMatch:
    """A Match whose policy value has been read.

    COMPAT: a value that cannot be read does not make the policy unusable; ``test`` is then a Fault, which counts when
    the attribute is there.
    """

    source: Source
    read: Reader
    test: Test | Fault

    @classmethod
    def of(cls, match: Match) -> "PreparedMatch":
        """Raises UnknownFunction, XPathNotSupported."""
        function = function_of(match)
        test: Test | Fault
        try:
            test = prepare_test(match)
        except MalformedInput as error:
            test = Fault(f"the policy cannot be read: {name_of(match.designator)}: {error}", StatusUri.SYNTAX_ERROR)
        read = function.reads or READERS[function.parameters[1].datatype]
        return cls(source_of(match.designator), read, test)

    def matched(self, attributes: RequestAttributes) -> Matched:
        values = self.source.values(attributes, self.read)
        if not values:
            return False
        if isinstance(values, Fault):
            return values
        if isinstance(self.test, Fault):
            return self.test
        fault: Fault | None = None
        for value in values:
            result = self.test(value)
            if result is True:
                return True
            if result is not False:
                fault = fault or result
        return fault or False

    def matching_text(self, attributes: RequestAttributes) -> str | None:
        """The first value that makes it True, as it was sent; None if it is not True."""
        values = self.source.values(attributes, self.read)
        if isinstance(values, Fault) or isinstance(self.test, Fault):
            return None
        texts = self.source.texts(attributes)
        return next((text for text, value in zip(texts, values, strict=True) if self.test(value) is True), None)


def name_of(asked: AttributeDesignator | AttributeSelector) -> str:
    """How the attribute is called in messages."""
    return asked.path if isinstance(asked, AttributeSelector) else asked.attribute_id


def function_of(match: Match) -> Function:
    """Raises UnknownFunction."""
    if (
        match.function == FunctionUri.STRING_EQUAL
        and isinstance(match.designator, AttributeDesignator)
        and match.designator.attribute_id == DciSec.RESOURCE_OWNER
        and match.designator.datatype == match.value.datatype == DataType.X500_NAME
    ):
        # BETTER: the mapping shipped with the Java PAP says string-equal, which fails on every name.
        return FUNCTIONS[FunctionUri.X500_NAME_EQUAL]
    return match_function(match.function)


def prepare_test(match: Match) -> Test:
    """The test of one value of the request.

    Raises UnknownFunction; of other kinds of MalformedInput: UnusableValue and what the reader of the data type says.
    """
    function = function_of(match)
    types = [principal_name(match.value.datatype), principal_name(match.designator.datatype)]
    if types != [parameter.datatype for parameter in function.parameters]:
        raise UnusableValue(f"{match.function} does not compare {' with '.join(dict.fromkeys(types))}")
    if not trim(match.value.text):
        raise UnusableValue("the value is empty")
    value = READERS[match.value.datatype](match.value.text)
    return function.bind(value) if function.bind else _Holds(function, value)
