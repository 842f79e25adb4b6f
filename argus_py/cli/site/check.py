"""``argus site check``: the deployment check list of WLCG for gLExec on worker nodes, in one pass.

What cannot be looked at is told as such and holds up nothing else. It is the rights of the user who asks that are
looked at, so the check belongs to the user that the daemons run as.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from argus_py.cli.check_configuration import check_pdp, check_pepd
from argus_py.cli.leases.maps import HandlerMaps, load_maps
from argus_py.cli.site import check_mapping, check_service
from argus_py.cli.site.check_service import Decide
from argus_py.cli.site.command import Call, Exit
from argus_py.cli.site.findings import Finding, Topic, error, tell, unknown, warning, with_all_topics
from argus_py.config.pdp import PdpSettings, load_pdp
from argus_py.config.pepd import PepdSettings, load_pepd
from argus_py.errors import ArgusError, ConfigurationError
from argus_py.model.identifiers import Glite
from argus_py.run.pap import PapFiles
from argus_py.spl.group_map import WORKER_NODE

_NAME_POLICY: Final = "name the policy in a file with --policy"
_AFTERWARDS: Final = "mend the configuration first, and ask again"
_OF_MAPS: Final = (Topic.PILOT_ROLES, Topic.WHITE_LIST, Topic.GRIDMAPDIR, Topic.CE, Topic.ALL_ROLES, Topic.OPS)
_OF_POLICY: Final = (Topic.ALL_ROLES, Topic.OPS)
_OF_SETTINGS: Final = (*_OF_MAPS, Topic.VOMSDIR, Topic.CRLS, Topic.PORTS)
Settings = TypeVar("Settings", PepdSettings, PdpSettings)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for option, default, what in (
        ("--config-dir", "/etc/argus", "with pepd/ and pdp/ in it"),
        ("--glexec-conf", "/etc/glexec.conf", "of the worker nodes"),
    ):
        parser.add_argument(option, type=Path, default=Path(default), metavar="PATH", help=f"{what}, default {default}")
    parser.add_argument(
        "--policy",
        type=Path,
        action="append",
        metavar="FILE",
        help="a policy file or XACML 2.0 document, default: what the PDP of this host has in force",
    )
    parser.add_argument("--resource", default=WORKER_NODE, help="of the worker nodes, default %(default)s")
    parser.add_argument("--action", default=Glite.ACTION_EXECUTE, help="of the worker nodes, default %(default)s")
    for option, what in (
        ("--ce-gridmapdir", "where the CEs keep their leases, as mounted here"),
        ("--ce-grid-mapfile", "of the CEs, if they share the directory"),
        ("--ce-group-mapfile", "of the CEs, if they share the directory"),
    ):
        parser.add_argument(option, type=Path, metavar="PATH", help=what)
    parser.add_argument("--output", choices=("text", "json"), default="text")


def check(call: Call) -> Exit:
    """Exit.PROBLEMS if something is missing."""
    return tell(call, with_all_topics(_found(call)))


def _found(call: Call) -> Iterator[Finding]:
    folder = call.arguments.config_dir
    yield from check_service.right_time(call.host.clock())
    yield from _configuration(folder)
    pepd = _loaded(lambda: load_pepd(folder / "pepd" / "pepd.ini"))
    pdp = _loaded(lambda: load_pdp(folder / "pdp" / "pdp.ini"))
    if pepd is None:
        yield from (unknown(topic, "pepd.ini cannot be used", _AFTERWARDS) for topic in _OF_SETTINGS)
        return
    yield from check_service.revocation_lists(pepd.security, call.host.now())
    yield from _ports(call, pepd, pdp)
    try:
        maps = [load_maps(handler, call.host.now) for handler in pepd.obligation_handlers]
    except ConfigurationError as problem:
        yield from (unknown(topic, str(problem), _AFTERWARDS) for topic in _OF_MAPS)
        return
    yield from check_service.voms_servers(maps, pepd.pips)
    yield from _mapping(call, maps)
    yield from _policy(call, maps, pdp)


def _configuration(folder: Path) -> Iterator[Finding]:
    remedy = "see docs/site.md, or argus pepd --check and argus pdp --check"
    for report in (check_pepd(folder / "pepd" / "pepd.ini"), check_pdp(folder / "pdp" / "pdp.ini")):
        yield from (error(Topic.CONFIGURATION, str(problem), remedy) for problem in report.errors)
        yield from (warning(Topic.CONFIGURATION, str(problem), remedy) for problem in report.warnings)
    pap = folder / "pap" / "pap_configuration.ini"
    if pap.exists():  # it may run on another host
        try:
            PapFiles.load(pap)
        except ConfigurationError as problem:
            yield error(Topic.CONFIGURATION, str(problem), "correct the file; the PAP would not start")


def _loaded(load: Callable[[], Settings]) -> Settings | None:
    """None: what is wrong has been told with the configuration."""
    try:
        return load()
    except ConfigurationError:
        return None


def _mapping(call: Call, maps: list[HandlerMaps]) -> Iterator[Finding]:
    arguments = call.arguments
    if not maps:
        remedy = "add an account mapping to obligationHandlers in pepd.ini"
        yield error(Topic.CONFIGURATION, "pepd.ini has no account mapping: no payload gets an account", remedy)
    yield from check_mapping.pilot_roles(maps)
    yield from check_mapping.white_list(arguments.glexec_conf, maps)
    yield from check_mapping.gridmapdir(maps)
    yield from check_mapping.shared_with_ce(
        maps,
        arguments.ce_gridmapdir,
        arguments.ce_grid_mapfile,
        arguments.ce_group_mapfile,
        call.host.now,
    )
    yield from check_mapping.accounts_for_all(maps)


def _policy(call: Call, maps: list[HandlerMaps], pdp: PdpSettings | None) -> Iterator[Finding]:
    files = call.arguments.policy
    if files:
        try:
            decide = check_service.by_files(files, call.host.now())
        except (ArgusError, OSError) as problem:
            yield from (unknown(topic, str(problem), _NAME_POLICY) for topic in _OF_POLICY)
            return
        yield from _decisions(call, maps, decide)
    elif pdp is None:
        yield from (unknown(topic, "there is no PDP on this host", _NAME_POLICY) for topic in _OF_POLICY)
    else:
        with check_service.by_pdp(pdp.service.admin) as decide:
            yield from _decisions(call, maps, decide)


def _decisions(call: Call, maps: list[HandlerMaps], decide: Decide) -> Iterator[Finding]:
    asked = call.arguments.resource, call.arguments.action
    yield from check_service.policy_for_all(maps, decide, *asked)
    yield from check_service.ops_identity(maps, decide, *asked)


def _ports(call: Call, pepd: PepdSettings, pdp: PdpSettings | None) -> Iterator[Finding]:
    paps = () if pdp is None else pdp.policy.paps
    urls = check_service.status_urls(pepd.service, pepd.pdp.urls, paps)
    try:
        page_of = check_service.status_pages(pepd.security, call.host.now)
    except ConfigurationError as problem:
        yield unknown(Topic.PORTS, str(problem), _AFTERWARDS)
        return
    yield from check_service.answering_ports(urls, page_of)
