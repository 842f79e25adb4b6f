"""The names that SPL gives to XACML attributes: shipped with the PAP, or configured by the site.

A site's file (``attribute-mappings.ini``) is in the properties syntax of Java: lines ``key = value``, ``key: value`` or
``key value``, comments with "#" or "!", a backslash at the end continues a line, ``${key}`` stands for the value of
that key. ``id`` is repeated once per name, or has a list of names with commas.

Source: argus-pap:src/main/config/attribute-mappings.ini,
argus-pap:src/main/java/org/glite/authz/pap/common/xacml/wizard/AttributeWizardTypeConfiguration.java
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from argus_py.errors import ConfigurationError
from argus_py.model.identifiers import AttributeId, DataType, DciSec, Glite
from argus_py.xacml.datatypes import READERS
from argus_py.xacml.functions import FunctionUri, UnknownFunction, match_function
from argus_py.xacml.policy import AttributeDesignator, Category

RESOURCE: Final = "resource"
ACTION: Final = "action"

_CATEGORIES: Final = {category.value.lower(): category for category in Category}
_KEYS: Final = ("xacml-id", "xacml-datatype", "xacml-target-element", "xacml-match-function")
_VALUE_DATATYPE: Final = "xacml-match-function-datatype"
_COMMENT: Final = re.compile(r"\s*[#!]")
_SEPARATOR: Final = re.compile(r"\s*[=:]\s*|\s+")
_REFERENCE: Final = re.compile(r"\$\{([^{}]*)\}")
_MAX_FILLING: Final = 8  # references to values with references: nobody needs more
_LONGEST_VALUE: Final = 4096  # characters, of a URI


class MappingError(ConfigurationError):
    """An attribute mapping cannot be used; carries the ``name`` it is about, and the ``reason``."""

    def __init__(self, name: str, reason: str, file: str = "attribute mappings") -> None:
        super().__init__(f"{file}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """One name of SPL. ``value_datatype`` is that of the values in policies, ``datatype`` that of the request."""

    name: str
    category: Category
    attribute_id: str
    datatype: str
    function: str
    value_datatype: str

    @property
    def designator(self) -> AttributeDesignator:
        return AttributeDesignator(self.category, self.attribute_id, self.datatype)


@dataclass(frozen=True, slots=True)
class AttributeMappings:
    """Names and attribute ids are unique; there are always ``resource`` and ``action``.

    Raises MappingError: a name or an attribute id occurs twice, or one of the two is missing.
    """

    mappings: tuple[AttributeMapping, ...]
    _by_name: dict[str, AttributeMapping] = field(init=False, repr=False, compare=False)
    _by_attribute_id: dict[str, AttributeMapping] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {mapping.name: mapping for mapping in self.mappings})
        object.__setattr__(self, "_by_attribute_id", {mapping.attribute_id: mapping for mapping in self.mappings})
        _check_unique("id", (mapping.name for mapping in self.mappings))
        _check_unique("xacml-id", (mapping.attribute_id for mapping in self.mappings))
        for name in (RESOURCE, ACTION):
            if name not in self._by_name:
                raise MappingError(name, f'Cannot find id "{name}"')

    def named(self, name: str) -> AttributeMapping | None:
        return self._by_name.get(name)

    def of_attribute(self, attribute_id: str) -> AttributeMapping | None:
        return self._by_attribute_id.get(attribute_id)

    @property
    def resource(self) -> AttributeMapping:
        return self._by_name[RESOURCE]

    @property
    def action(self) -> AttributeMapping:
        return self._by_name[ACTION]


def _check_unique(key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise MappingError(value, f'duplicated {key} "{value}"')
        seen.add(value)


def _text(name: str, attribute_id: str, category: Category = Category.SUBJECT) -> AttributeMapping:
    return _same(name, attribute_id, category, DataType.STRING, FunctionUri.STRING_EQUAL)


def _pattern(name: str, attribute_id: str, category: Category = Category.SUBJECT) -> AttributeMapping:
    return _same(name, attribute_id, category, DataType.STRING, FunctionUri.STRING_REGEXP_MATCH)


def _name(name: str, attribute_id: str, category: Category = Category.SUBJECT) -> AttributeMapping:
    return _same(name, attribute_id, category, DataType.X500_NAME, FunctionUri.X500_NAME_EQUAL)


def _fqan(name: str, attribute_id: str) -> AttributeMapping:
    return _same(name, attribute_id, Category.SUBJECT, DataType.FQAN, FunctionUri.FQAN_MATCH)


def _same(name: str, attribute_id: str, category: Category, datatype: str, function: str) -> AttributeMapping:
    return AttributeMapping(name, category, attribute_id, datatype, function, datatype)


DEFAULT_MAPPINGS: Final = AttributeMappings(
    (
        _name("subject", AttributeId.SUBJECT_ID),
        _name("subject-issuer", Glite.SUBJECT_ISSUER),
        _name("x509-subject-issuer", Glite.X509_SUBJECT_ISSUER),
        _pattern("x509-authn-profile", Glite.X509_AUTHN_PROFILE),
        _text("vo", Glite.VIRTUAL_ORGANIZATION),
        _fqan("fqan", Glite.FQAN),
        _fqan("pfqan", Glite.PRIMARY_FQAN),
        _pattern(RESOURCE, AttributeId.RESOURCE_ID, Category.RESOURCE),
        _pattern(ACTION, AttributeId.ACTION_ID, Category.ACTION),
        _text("pilot-classifier", Glite.PILOT_JOB_CLASSIFIER, Category.ACTION),
        _name("emi-subject-issuer", DciSec.SUBJECT_ISSUER),
        _name("emi-x509-subject-issuer", DciSec.X509_SUBJECT_ISSUER),
        _pattern("emi-x509-authn-profile", DciSec.X509_AUTHN_PROFILE),
        _text("emi-vo", DciSec.VIRTUAL_ORGANIZATION),
        _text("emi-group", DciSec.GROUP),
        _text("emi-primary-group", DciSec.PRIMARY_GROUP),
        _text("emi-role", DciSec.ROLE),
        _text("emi-primary-role", DciSec.PRIMARY_ROLE),
        # BETTER: the Java PAP ships string-equal here, which fails on every name; no policy with it can have worked.
        _name("emi-resource-owner", DciSec.RESOURCE_OWNER, Category.RESOURCE),
        _text("oidc-issuer", Glite.OIDC + "issuer"),
        _text("oidc-organisation", Glite.OIDC + "organisation"),
        _text("oidc-subject", Glite.OIDC + "subject"),
        _text("oidc-group", Glite.OIDC + "group"),
        _text("oidc-scope", Glite.OIDC + "scope"),
        _text("oidc-user-id", Glite.OIDC + "user-id"),
        _text("oidc-client-id", Glite.OIDC + "client-id"),
    )
)


def parse_mappings(text: str, file: str) -> AttributeMappings:
    """The names of a site's ``file``, in its order.

    Raises MappingError: a key is missing, a name or attribute id is there twice, or a URI is not known here.
    """
    try:
        names: list[str] = []
        values: dict[str, str] = {}
        for key, listed in _properties(text):
            if key == "id":
                names += listed
            else:
                values.setdefault(key, listed[0])  # COMPAT: of a repeated key, and of a list, the first counts
        return AttributeMappings(tuple(_mapping(name, values) for name in names))
    except MappingError as error:
        raise MappingError(error.name, error.reason, file) from error


def _mapping(name: str, values: dict[str, str]) -> AttributeMapping:
    for key in _KEYS:
        if not values.get(f"{name}.{key}"):
            raise MappingError(name, f'undefined {key} for id "{name}"')
    attribute_id, datatype, element, function = (_filled_in(name, values[f"{name}.{key}"], values) for key in _KEYS)
    category = _CATEGORIES.get(element.lower())
    if category is None:
        allowed = "allowed values are: subject, resource, action and environment"
        raise MappingError(name, f'xacml-target-element "{element}" not recognized ({allowed})')
    value_datatype = _filled_in(name, values.get(f"{name}.{_VALUE_DATATYPE}", ""), values) or datatype
    # BETTER: the Java PAP hands out policies with unknown URIs, and then no PDP loads any policy.
    for uri in (datatype, value_datatype):
        if uri not in READERS:
            raise MappingError(name, f'the data type "{uri}" of id "{name}" is not known')
    try:
        match_function(function)
    except UnknownFunction as error:
        raise MappingError(name, f'the match function "{function}" of id "{name}" is not supported') from error
    return AttributeMapping(name, category, attribute_id, datatype, function, value_datatype)


def _filled_in(name: str, value: str, values: dict[str, str]) -> str:
    """The references are replaced; COMPAT: one to a key that is not there stays as it is."""
    for _ in range(_MAX_FILLING):
        if not any(key in values for key in _REFERENCE.findall(value)):
            return value
        value = _REFERENCE.sub(lambda reference: values.get(reference[1], reference[0]), value)
        if len(value) > _LONGEST_VALUE:
            break
    raise MappingError(name, f'the references in a value of id "{name}" go on for too long, or in a circle')


def _properties(text: str) -> Iterator[tuple[str, list[str]]]:
    """Keys and their values, which commas make lists."""
    pending = ""
    for line in text.splitlines():
        if not pending and (_COMMENT.match(line) or not line.strip()):
            continue
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        key, *value = _SEPARATOR.split(pending, maxsplit=1)
        pending = ""
        yield key, [part.strip() for part in "".join(value).split(",")]
