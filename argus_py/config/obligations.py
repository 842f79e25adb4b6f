"""The obligation handlers that ``pepd.ini`` can name, and their sections.

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
from argus_py.pep.obligations.account_mapping import MappingSettings


@dataclass(frozen=True, slots=True)
class AccountMappingPart:
    """``name`` is that of the section, which the handler's log lines begin with."""

    name: str
    account_map_file: Path
    group_map_file: Path
    grid_map_dir: Path
    refresh_period: timedelta
    settings: MappingSettings


def _account_mapping(reader: SectionReader) -> AccountMappingPart:
    for key in ("poolAccountLookupMaxIterations", "enablePoolAccountCache", "poolAccountCacheTTL"):
        reader.string(key)  # COMPAT: read and without effect, accounts are looked up by the time stamp of the directory
    return AccountMappingPart(
        name=reader.name,
        account_map_file=Path(reader.required("accountMapFile")),
        group_map_file=Path(reader.required("groupMapFile")),
        grid_map_dir=Path(reader.required("gridMapDir")),
        refresh_period=reader.minutes("refreshPeriod", 15),
        settings=MappingSettings(
            handled_obligation_id=reader.string("handledObligationId") or Glite.LOCAL_ENVIRONMENT_MAP,
            prefer_dn_for_login_name=reader.boolean("preferDNForLoginName", True),
            prefer_dn_for_primary_group_name=reader.boolean("preferDNForPrimaryGroupName", True),
            no_primary_group_name_is_error=reader.boolean("noPrimaryGroupNameIsError", False),
            require_subject_key_info=reader.boolean("requireSubjectKeyInfo", True),
            use_secondary_group_names_for_mapping=reader.boolean("useSecondaryGroupNamesForMapping", True),
        ),
    )


HANDLERS: Final[Catalogue[HandlerKind, AccountMappingPart]] = Catalogue(
    "Obligation Handler", "obligation handler", HANDLER_KINDS, {HandlerKind.ACCOUNT_MAPPING: _account_mapping}
)
