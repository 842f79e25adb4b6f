"""An authorization request: who, on what, to do what, in which environment (XACML 2.0 section 6)."""

from dataclasses import dataclass

from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import SubjectCategory


@dataclass(frozen=True, slots=True)
class Subject:
    attributes: tuple[Attribute, ...] = ()
    category: str | None = None  # None: access-subject

    @property
    def is_access_subject(self) -> bool:
        """Whether this is whom policies decide upon, not a machine or an intermediary on the way."""
        return (self.category or SubjectCategory.ACCESS_SUBJECT) == SubjectCategory.ACCESS_SUBJECT


@dataclass(frozen=True, slots=True)
class Resource:
    """``content`` is the text of the ResourceContent; ``markup`` all of it as an XML document, if it has elements."""

    attributes: tuple[Attribute, ...] = ()
    content: str | None = None
    markup: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    subjects: tuple[Subject, ...] = ()
    resources: tuple[Resource, ...] = ()
    action: Action | None = None
    environment: Environment | None = None
