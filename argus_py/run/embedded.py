"""All daemons in one process: the PDP reads the PAP's store, the PEP asks the PDP's engine, each still has its port.

A command of pap-admin returns when the PDP decides by the changed policy. Changes that another process makes to the
same database are seen within half a second.
"""

import time
from pathlib import Path

from argus_py.config.pdp import load_pdp
from argus_py.config.pepd import load_pepd
from argus_py.pap.provisioning import Provisioning
from argus_py.pdp.refresh import policy_snapshot
from argus_py.run.decisions import Decisions
from argus_py.run.pap import FOREIGN_CHANGES, PapFiles, pap
from argus_py.run.parts import TrustOf, now
from argus_py.run.pdp import pdp
from argus_py.run.pep import pep
from argus_py.run.policy import LimitedAge, PolicyRefresh
from argus_py.run.servers import Daemon, Periodic
from argus_py.store.sql.engine import open_policies


def embedded(directory: Path, trust_of: TrustOf) -> tuple[Daemon, ...]:
    """The daemons of ``pap/``, ``pdp/`` and ``pepd/`` below a folder like /etc/argus.

    Raises ConfigurationError: a file, or what it names, is unusable.
    """
    pap_files = PapFiles.load(directory / "pap" / "pap_configuration.ini")
    pdp_settings = load_pdp(directory / "pdp" / "pdp.ini")
    pepd_settings = load_pepd(directory / "pepd" / "pepd.ini")
    repository = open_policies(pap_files.settings.database)
    refresh = PolicyRefresh(policy_snapshot(Provisioning(repository), now))

    def take_up() -> None:
        refresh(time.monotonic())

    repository.on_commit(take_up)
    foreign_changes = Periodic("policy", FOREIGN_CHANGES, refresh)
    pap_daemon = pap(pap_files, repository, trust_of)
    refresh()
    usable = LimitedAge(refresh, pdp_settings.policy.maximum_age)
    decisions = Decisions.of_engine(pepd_settings.pdp, pdp_settings.service.entity_id, usable)
    return (
        pap_daemon,
        pdp(pdp_settings, refresh, (foreign_changes,), trust_of),
        pep(pepd_settings, decisions, (), trust_of),
    )
