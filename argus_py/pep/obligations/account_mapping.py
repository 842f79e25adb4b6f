"""Maps the subject of a permitted request to a local account, and says so in the obligation of the POSIX profile.

Source: argus-pep-server:.../obligation/dfpmap/DFPMObligationHandler.java, AccountMapper.java
"""

import logging
from dataclasses import dataclass, replace
from typing import TypeVar

from argus_py.errors import MalformedInput, Unavailable, Unmapped
from argus_py.model.attribute import Attribute
from argus_py.model.dn import DistinguishedName, DnSyntaxError, escape_controls
from argus_py.model.fqan import Fqan, FqanSyntaxError
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.request import Request, Subject
from argus_py.model.response import AttributeAssignment, Effect, Obligation, Response
from argus_py.pep.attributes import find
from argus_py.pep.mapping.accounts import account_indicator, pool_prefix
from argus_py.pep.mapping.groups import group_names
from argus_py.pep.mapping.identity import GridIdentity, NoLoginName, NoPrimaryGroup
from argus_py.pep.mapping.lease_name import lease_name
from argus_py.pep.mapping.map_file import MapFile
from argus_py.pep.ports import LeaseStore
from argus_py.snapshot import Snapshot

T = TypeVar("T")

_log = logging.getLogger(__name__)


class UnmappableRequest(MalformedInput):
    """The request does not say unmistakably who is to be mapped; clients see the text."""


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """The options of the handler's section in pepd.ini, with their defaults."""

    handled_obligation_id: str = Glite.LOCAL_ENVIRONMENT_MAP
    prefer_dn_for_login_name: bool = True
    prefer_dn_for_primary_group_name: bool = True
    no_primary_group_name_is_error: bool = False
    require_subject_key_info: bool = True
    use_secondary_group_names_for_mapping: bool = True


@dataclass(frozen=True, slots=True)
class PosixAccount:
    """``groups``: the primary group first. ``lease``: the name of the lease, None for an account outside the pools."""

    login: str
    groups: tuple[str, ...]
    lease: str | None = None

    def __str__(self) -> str:
        primary = f" group={self.groups[0]}" if self.groups else ""
        secondary = f" groups={','.join(self.groups[1:])}" if self.groups[1:] else ""
        return f"PosixAccount{{user={self.login}{primary}{secondary}}}"

    def obligation(self) -> Obligation:
        group_ids = [_assignment(Glite.GROUP_ID, group) for group in self.groups]
        primary = [_assignment(Glite.PRIMARY_GROUP_ID, group) for group in self.groups[:1]]
        # COMPAT: the primary group comes twice, as primary and as first group (Savannah bug 64340).
        assignments = (_assignment(Glite.USER_ID, self.login), *primary, *group_ids)
        return Obligation(Glite.LOCAL_ENVIRONMENT_MAP_POSIX, Effect.PERMIT, assignments)


class AccountMapping:
    """The obligation handler; ``name`` is its section in pepd.ini and leads its log lines."""

    def __init__(
        self,
        name: str,
        settings: MappingSettings,
        accounts: Snapshot[MapFile],
        groups: Snapshot[MapFile],
        leases: LeaseStore,
    ) -> None:
        self._name = name
        self._settings = settings
        self._accounts = accounts
        self._groups = groups
        self._leases = leases

    @property
    def obligation_id(self) -> str:
        return self._settings.handled_obligation_id

    def fulfil(self, request: Request, response: Response) -> Response:
        """The response with the POSIX obligation in the place of the handled ones; unchanged without key-info.

        Raises UnmappableRequest: not exactly one subject, or no usable name; NotMapped: no account.
        """
        subject = _only_subject(request)
        if self._settings.require_subject_key_info and not find(subject.attributes, AttributeId.KEY_INFO):
            _log.warning(
                "%s: Does not apply. Requires a request subject key-info attribute, but none found. "
                "The obligation %s goes to the client as it is.",
                self._name,
                self.obligation_id,
            )
            return response
        identity = _identity(subject)
        account = self.map(identity)
        _log.info(
            "%s: DN: %s pFQAN: %s FQANs: %s mapped to POSIX account: %s",
            self._name,
            escape_controls(identity.dn.rfc2253()),
            escape_controls(identity.primary_fqan_text),
            escape_controls(identity.fqans_text),
            account,
        )
        result = response.results[0]
        others = tuple(obligation for obligation in result.obligations if obligation.id != self.obligation_id)
        result = replace(result, obligations=(*others, account.obligation()))
        return replace(
            response,
            results=(result, *response.results[1:]),
            trail=replace(response.trail, account=account.login, lease=account.lease),
        )

    def map(self, identity: GridIdentity) -> PosixAccount:
        """Raises NotMapped: no line of the map files fits, or the pool gives no account."""
        settings = self._settings
        accounts = self._accounts.current.value
        indicator = account_indicator(accounts, identity, settings.prefer_dn_for_login_name)
        groups = group_names(self._groups.current.value, identity, settings.prefer_dn_for_primary_group_name)
        if not groups and settings.no_primary_group_name_is_error:
            raise NoPrimaryGroup(identity)
        pool = pool_prefix(indicator)
        if pool is None:
            return PosixAccount(indicator, groups)
        lease = lease_name(identity.dn, groups if settings.use_secondary_group_names_for_mapping else groups[:1])
        try:
            return PosixAccount(self._leases.lease(lease, pool), groups, lease)
        except (Unmapped, Unavailable) as error:
            # COMPAT: the client sees one text for every cause; the cause is for the operator.
            _log.warning("%s: %s", self._name, error)
            raise NoLoginName(identity) from error


def _assignment(attribute_id: str, value: str) -> AttributeAssignment:
    return AttributeAssignment(attribute_id, value, DataType.STRING)


def _only_subject(request: Request) -> Subject:
    if not request.subjects:
        raise UnmappableRequest("Unable to process request, it does not contain a subject")
    if len(request.subjects) > 1:
        raise UnmappableRequest("Requests contains more than one subject")
    return request.subjects[0]


def _identity(subject: Subject) -> GridIdentity:
    primary_fqans = _fqans(subject, Glite.PRIMARY_FQAN, "primary")
    return GridIdentity(
        _dn(subject),
        _only(primary_fqans) if primary_fqans else None,
        _fqans(subject, Glite.FQAN, "secondary"),
    )


def _dn(subject: Subject) -> DistinguishedName:
    attributes = find(subject.attributes, AttributeId.SUBJECT_ID, DataType.X500_NAME)
    if not attributes:
        raise UnmappableRequest(
            f"Invalid request, missing subject attribute: {AttributeId.SUBJECT_ID} datatype: {DataType.X500_NAME}"
        )
    try:
        dn = _only(tuple(map(DistinguishedName.parse_rfc2253, _values(attributes))))
    except DnSyntaxError as error:
        raise UnmappableRequest(
            "Invalid request, value of the Subject ID attribute was not a valid X.509 DN"
        ) from error
    if not dn.rdns:  # BETTER: all who have no name would share one account
        raise UnmappableRequest("Invalid request, value of the Subject ID attribute was not a valid X.509 DN")
    return dn


def _fqans(subject: Subject, attribute_id: str, word: str) -> tuple[Fqan, ...] | None:
    attributes = find(subject.attributes, attribute_id)
    if not attributes:
        return None
    if any(attribute.datatype != DataType.FQAN for attribute in attributes):
        raise UnmappableRequest("Invalid request, subject attribute of invalid data type")
    try:
        return tuple(map(Fqan.parse, _values(attributes)))
    except FqanSyntaxError as error:
        raise UnmappableRequest(f"Invalid request, subject's {word} FQAN attribute value was invalid") from error


def _values(attributes: tuple[Attribute, ...]) -> tuple[str, ...]:
    values = tuple(value for attribute in attributes for value in attribute.values)
    if not values:
        raise UnmappableRequest("Invalid request, subject attribute did not contain any values")
    return values


def _only(values: tuple[T, ...]) -> T:
    """BETTER: Java takes whichever of several comes first out of a hash set."""
    if len(set(values)) > 1:
        raise UnmappableRequest("Invalid request, subject attribute contains more than one value")
    return values[0]
