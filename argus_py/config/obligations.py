"""The obligation handlers that ``pepd.ini`` can name, and their sections.

Keys that Java does not have are off by default: ``secondaryGroupOrder``, ``useLcmapsLeases``, ``useNameService``,
``recycleIdleLeasesAfter``; ``allowRoot`` alone takes away what Java does, unless it is set.

Source: argus-pep-server:.../obligation/dfpmap/DFPMObligationHandlerConfigurationParser.java
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from argus_py.config.catalogue import Catalogue
from argus_py.config.ini import SectionReader
from argus_py.config.java_names import HANDLER_KINDS, HandlerKind
from argus_py.model.identifiers import Glite
from argus_py.pep.mapping.plan import GroupOrder, MappingRules
from argus_py.pep.obligations.account_mapping import MappingSettings


@dataclass(frozen=True, slots=True)
class AccountMappingPart:
    """``name`` is that of the section, which the handler's log lines begin with.

    ``use_name_service``: this machine knows the accounts and groups. ``recycle_idle_leases_after``: an exhausted pool
    takes back the lease that was unused for so long; None: never.
    """

    name: str
    account_map_file: Path
    group_map_file: Path
    grid_map_dir: Path
    refresh_period: timedelta
    settings: MappingSettings
    use_name_service: bool = False
    recycle_idle_leases_after: timedelta | None = None


def _account_mapping(reader: SectionReader) -> AccountMappingPart:
    for key in ("poolAccountLookupMaxIterations", "enablePoolAccountCache", "poolAccountCacheTTL"):
        reader.string(key)  # COMPAT: read and without effect: no number of looks ends a search, no account is missed
    rules = MappingRules(
        prefer_dn_for_login_name=reader.boolean("preferDNForLoginName", True),
        prefer_dn_for_primary_group_name=reader.boolean("preferDNForPrimaryGroupName", True),
        no_primary_group_name_is_error=reader.boolean("noPrimaryGroupNameIsError", False),
        use_secondary_group_names_for_mapping=reader.boolean("useSecondaryGroupNamesForMapping", True),
        secondary_group_order=_group_order(reader),
        allow_root=reader.guard("allowRoot"),
    )
    settings = MappingSettings(
        handled_obligation_id=reader.string("handledObligationId") or Glite.LOCAL_ENVIRONMENT_MAP,
        require_subject_key_info=reader.boolean("requireSubjectKeyInfo", True),
        use_lcmaps_leases=reader.boolean("useLcmapsLeases", False),
        rules=rules,
    )
    needs_numbers = settings.use_lcmaps_leases or rules.secondary_group_order is GroupOrder.GID
    idle_hours = reader.integer("recycleIdleLeasesAfter", 0)
    return AccountMappingPart(
        name=reader.name,
        account_map_file=Path(reader.required("accountMapFile")),
        group_map_file=Path(reader.required("groupMapFile")),
        grid_map_dir=Path(reader.required("gridMapDir")),
        refresh_period=reader.minutes("refreshPeriod", 15),
        settings=settings,
        use_name_service=reader.boolean("useNameService", False) or needs_numbers,
        recycle_idle_leases_after=timedelta(hours=idle_hours) if idle_hours else None,
    )


def _group_order(reader: SectionReader) -> GroupOrder:
    """A word that is none is an error: another order than the one wanted takes the accounts of users away."""
    key, words = "secondaryGroupOrder", [order.value for order in GroupOrder]
    word = reader.string(key) or GroupOrder.MAP_FILE.value
    if word not in words:
        reader.error(key, f"{word!r} is none of {', '.join(words)}")
        return GroupOrder.MAP_FILE
    return GroupOrder(word)


HANDLERS: Final[Catalogue[HandlerKind, AccountMappingPart]] = Catalogue(
    "Obligation Handler", "obligation handler", HANDLER_KINDS, {HandlerKind.ACCOUNT_MAPPING: _account_mapping}
)
