"""One writer of a policy store, for tests that kill it: goes on where the store is.

Usage: policy_worker.py URL PROGRAM; the program is a JSON array, which has at n the ids of the rules that the change
with revision n leaves. Says the revision of each change when it is committed.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from argus_py.model.response import Effect
from argus_py.pap.history import Note
from argus_py.store.sql.engine import open_policies
from argus_py.xacml.policy import Combining, Policy, PolicySet, Rule


def resources(ids: list[str], version: int) -> tuple[PolicySet, ...]:
    rules = tuple(Rule(id, Effect.DENY) for id in ids)
    action = Policy("bans", Combining.RULES_FIRST_APPLICABLE, rules, version=str(version))
    return (PolicySet("everything", Combining.POLICIES_FIRST_APPLICABLE, (action,)),)


def main() -> None:
    url, program = sys.argv[1:]
    states = json.loads(Path(program).read_text())
    repository = open_policies(url)
    revision = repository.revision()
    while revision < len(states) - 1:
        with repository.change(Note("CN=Admin", f"change {revision + 1}", "default")) as writer:
            revision = writer.revision + 1
            (pap,) = writer.paps()
            writer.store(replace(pap, version=revision), resources(states[revision], revision))
        sys.stdout.write(f"{revision}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
