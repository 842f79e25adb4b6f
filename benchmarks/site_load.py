"""The load that the originals were tested with: 1,000 proxies, 200 pairs of resource and action, 1,000 policies.

Every client asks for another proxy each time, 125 of them, and from the second round on for the same again. Three
daemons take turns: one remembers chains and decisions, one chains alone, and one judges every chain anew.
"""

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks import pilots
from benchmarks.load import Identity, clients
from benchmarks.processes import serving
from benchmarks.rounds import Case, Target, is_permit, measure, rows
from benchmarks.tables import show
from demo.site import Site, make_site

_CLIENTS = 8
_USERS, _PROXIES_EACH = 50, 20
_PAIRS = 200
_ROUNDS = 2
_CASES = (
    Case("kept alive, 1 client", True, 1, 250),
    Case("kept alive, 8 clients", True, _CLIENTS, 1000),
    Case("new connections, 8 clients", False, _CLIENTS, 400),
)


def main(root: Path) -> None:
    site = make_site(root)
    crew = _crew(site)
    command = [sys.executable, "-m", "benchmarks.pep_port", str(site.configuration)]
    with ExitStack() as stack:
        remembering = stack.enter_context(serving([*command, "2000"], urls=1))
        deciding = stack.enter_context(serving([*command, "0"], urls=1))
        judging = stack.enter_context(serving([*command, "0", "--anew"], urls=1))
        targets = [Target(server, server.port("PEP"), is_permit) for server in (remembering, deciding, judging)]
        working = stack.enter_context(clients(crew))
        results = {case: measure(case, targets, working, _ROUNDS) for case in _CASES}
    shape = "1,000 proxies, 200 pairs, 1,000 policies"
    chains = [row for case, (_, decided, judged) in results.items() for row in rows(case, decided, judged)]
    show(f"{shape}: chains remembered", "remembered", "judged anew", chains)
    decisions = [row for case, (known, decided, _) in results.items() for row in rows(case, known, decided)]
    show(f"{shape}: decisions remembered, too", "remembered", "decided anew", decisions)


def _crew(site: Site) -> list[Identity]:
    """Clients that connect as pilots and ask about the proxies of others, each about his share of them."""
    bodies = [
        pilots.body(pem, f"ce1_{number % _PAIRS:03d}")
        for number, pem in enumerate(pilots.proxies(site, _USERS, _PROXIES_EACH))
    ]
    return [
        replace(identity, bodies=tuple(bodies[number::_CLIENTS]))
        for number, identity in enumerate(pilots.identities(site, _CLIENTS, "ce1_000"))
    ]
