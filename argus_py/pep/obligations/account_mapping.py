"""Maps the subject of a permitted request to a local account, and says so in the obligations that clients look for.

Source: argus-pep-server:.../obligation/dfpmap/DFPMObligationHandler.java, AccountMapper.java
"""

import logging
from dataclasses import dataclass, field, replace

from argus_py.errors import Unavailable, Unmapped
from argus_py.model.dn import escape_controls
from argus_py.model.identifiers import AttributeId, Glite
from argus_py.model.request import Request, Subject
from argus_py.model.response import Decision, Response
from argus_py.pep.attributes import find
from argus_py.pep.mapping.accounts import blind_to_role
from argus_py.pep.mapping.identity import GridIdentity, NoAccountIndicator, NoLoginName, NotMapped
from argus_py.pep.mapping.map_file import MapFile
from argus_py.pep.mapping.plan import MappingPlan, MappingRules, plan_mapping
from argus_py.pep.obligations.grid_identity import grid_identity, only_subject
from argus_py.pep.obligations.posix_account import PosixAccount
from argus_py.pep.ports import Lease, LeaseStore, NameService
from argus_py.snapshot import Snapshot

_log = logging.getLogger(__name__)


class RootAccount(Unmapped):
    """The account or a group of it has the number 0, under whatever name; carries ``name``."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} has the number 0: only allowRoot would allow that")
        self.name = name


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """The options of the handler's section in pepd.ini, with their defaults."""

    handled_obligation_id: str = Glite.LOCAL_ENVIRONMENT_MAP
    require_subject_key_info: bool = True
    use_lcmaps_leases: bool = False
    rules: MappingRules = field(default_factory=MappingRules)


class AccountMapping:
    """The obligation handler; ``name`` is its section in pepd.ini and leads its log lines."""

    def __init__(
        self,
        name: str,
        settings: MappingSettings,
        accounts: Snapshot[MapFile],
        groups: Snapshot[MapFile],
        leases: LeaseStore,
        *,
        names: NameService | None = None,
    ) -> None:
        """``names`` None: this machine does not know the accounts and groups, and nobody asks for their numbers."""
        self._name = name
        self._settings = settings
        self._accounts = accounts
        self._groups = groups
        self._leases = leases
        self._names = names

    @property
    def obligation_id(self) -> str:
        return self._settings.handled_obligation_id

    def fulfil(self, request: Request, response: Response) -> Response:
        """The response with POSIX obligations in the place of the handled ones; unchanged without key-info.

        Raises UnmappableRequest: not exactly one subject, or no usable name; NotMapped: no account.
        """
        result = response.results[0]
        if result.decision is not Decision.PERMIT:
            return response  # BETTER: Java leases accounts for those whom a policy denies with this obligation
        subject = only_subject(request)
        if self._settings.require_subject_key_info and not find(subject.attributes, AttributeId.KEY_INFO):
            self._warn_of_missing_key_info(subject)
            return response
        identity = grid_identity(subject)
        account = self.map(identity)
        _log.info(
            "%s: DN: %s pFQAN: %s FQANs: %s mapped to POSIX account: %s",
            self._name,
            escape_controls(identity.dn.rfc2253()),
            escape_controls(identity.primary_fqan_text),
            escape_controls(identity.fqans_text),
            account,
        )
        added = account.obligations(self.obligation_id)
        # INVARIANT: one obligation of each POSIX id, or clients that read the first and clients that read the last
        # would see different accounts. Another handler of this daemon may have added one already.
        replaced = {self.obligation_id, *(obligation.id for obligation in added)}
        others = tuple(obligation for obligation in result.obligations if obligation.id not in replaced)
        return replace(
            response,
            results=(replace(result, obligations=(*others, *added)), *response.results[1:]),
            trail=replace(response.trail, account=account.login, lease=account.lease, uid=account.uid, gid=account.gid),
        )

    def map(self, identity: GridIdentity) -> PosixAccount:
        """Raises NotMapped: no line of the map files fits, or the pool gives no account."""
        try:
            return self._account(self.plan(identity))
        except NoAccountIndicator:
            for entry in blind_to_role(self._accounts.current.value, identity):
                _log.warning(
                    "%s: line %d of the account map, %r, would match %s without its role; Argus has /vo/*/Role=* for "
                    "all of a VO",
                    self._name,
                    entry.line,
                    entry.key,
                    escape_controls(identity.primary_fqan_text),
                )
            raise
        except NotMapped:
            raise
        except (Unmapped, Unavailable) as error:
            # COMPAT: the client sees one text for every cause; the cause is for the operator.
            _log.warning("%s: %s", self._name, error)
            raise NoLoginName(identity) from error

    def plan(self, identity: GridIdentity) -> MappingPlan:
        """By the map files in force. Raises what ``plan_mapping`` raises."""
        return plan_mapping(
            self._accounts.current.value, self._groups.current.value, identity, self._settings.rules, self._gid
        )

    def _account(self, plan: MappingPlan) -> PosixAccount:
        lease = self._lease(plan)
        login = plan.account.name if lease is None else lease.account
        groups = plan.group_names
        gid = self._gid(groups[0]) if groups else None
        account = PosixAccount(login, groups, None if lease is None else lease.name, self._uid(login), gid)
        if not self._settings.rules.allow_root:
            self._refuse_number_0(account)
        return account

    def _lease(self, plan: MappingPlan) -> Lease | None:
        """None for an account outside the pools."""
        if plan.pool is None or plan.lease is None:
            return None
        others = plan.other_lease_names(self._gid) if self._settings.use_lcmaps_leases else ()
        return self._leases.lease(plan.lease, plan.pool, others)

    def _refuse_number_0(self, account: PosixAccount) -> None:
        """Other names of root than ``root``, where numbers are known."""
        if account.uid == 0:
            raise RootAccount(account.login)
        for group in account.groups:
            if self._gid(group) == 0:
                raise RootAccount(group)

    def _uid(self, login: str) -> int | None:
        return None if self._names is None else self._names.uid(login)

    def _gid(self, group: str) -> int | None:
        return None if self._names is None else self._names.gid(group)

    def _warn_of_missing_key_info(self, subject: Subject) -> None:
        named = [value for attribute in find(subject.attributes, AttributeId.SUBJECT_ID) for value in attribute.values]
        _log.warning(
            "%s: Does not apply. Requires a request subject key-info attribute, but none found. "
            "The client gets the obligation %s as it is, for the subject %s.",
            self._name,
            self.obligation_id,
            escape_controls(", ".join(named)) or "without a name",
        )
