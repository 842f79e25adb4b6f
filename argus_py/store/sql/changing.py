"""Which rows a change writes and closes, and what is held after it.

Whatever is written is read again before it is committed: the memory of the process that made a change holds what all
others read, and what this program cannot read never comes into the store.
"""

from dataclasses import replace

from sqlalchemy import Connection, Table, bindparam, insert, update

from argus_py.pap.editing import Resources
from argus_py.pap.state import Loose
from argus_py.store.sql import schema
from argus_py.store.sql.holding import (
    Holding,
    StoredPolicy,
    StoredSet,
    assembled,
    check_conditions,
    policy_body,
    policy_set_body,
    same_body,
)
from argus_py.store.sql.positions import positions
from argus_py.store.sql.rows import Values
from argus_py.xacml.policy import Policy, PolicySet, Rule
from argus_py.xacml.policy_xml import read_policy, read_policy_set, read_rule, write_rule


class RowChanges:
    """Collects the rows that the change ``revision`` closes and writes."""

    def __init__(self, revision: int) -> None:
        self._revision = revision
        self._closed: dict[tuple[Table, tuple[str, ...]], list[Values]] = {}
        self._written: dict[Table, list[Values]] = {}

    def close(self, table: Table, **key: str) -> None:
        """All rows that are true and have these values."""
        self._closed.setdefault((table, tuple(key)), []).append({f"its_{name}": value for name, value in key.items()})

    def write(self, table: Table, **values: str | int | bool | None) -> None:
        self._written.setdefault(table, []).append({**values, "since": self._revision})

    def execute(self, connection: Connection) -> None:
        for (table, columns), keys in self._closed.items():
            closing = update(table).where(table.c.until.is_(None)).values(until=self._revision)
            for name in columns:
                closing = closing.where(table.c[name] == bindparam(f"its_{name}"))
            connection.execute(closing, keys)
        for table, rows in self._written.items():
            connection.execute(insert(table), rows)


def close_all(pap_id: str, changes: RowChanges) -> None:
    """Nothing of a pap is true any more."""
    for table in (schema.policy_sets, schema.policies, schema.rules):
        changes.close(table, pap_id=pap_id)


def changed_holding(before: Holding, pap_id: str, resources: Resources, loose: Loose, changes: RowChanges) -> Holding:
    """Ids are those that ``StateWriter`` lets through.

    Raises MalformedInput: something cannot be written as XACML, or not be read again.
    """
    return _Changing(before, pap_id, changes).to(resources, loose)


class _Changing:
    def __init__(self, before: Holding, pap_id: str, changes: RowChanges) -> None:
        self._before = before
        self._pap_id = pap_id
        self._changes = changes
        self._sets: dict[str, StoredSet] = {}
        self._policies: dict[str, StoredPolicy] = {}

    def to(self, resources: Resources, loose: Loose) -> Holding:
        for policy_set, position in zip(resources, positions(list(map(self._place, resources))), strict=True):
            self._keep_set(policy_set, position, loose=False)
        for element, position in zip(loose, positions(list(map(self._loose_place, loose))), strict=True):
            if isinstance(element, PolicySet):
                self._keep_set(element, position, loose=True)
            else:
                self._keep_policy(element, None, position)
        for id in self._before.sets.keys() - self._sets.keys():
            self._changes.close(schema.policy_sets, pap_id=self._pap_id, id=id)
        for id in self._before.policies.keys() - self._policies.keys():
            self._changes.close(schema.policies, pap_id=self._pap_id, id=id)
            self._changes.close(schema.rules, pap_id=self._pap_id, policy_id=id)
        return Holding.of(self._sets, self._policies)

    def _place(self, policy_set: PolicySet) -> int | None:
        stored = self._before.sets.get(policy_set.id)
        return stored.position if stored and not stored.loose else None

    def _loose_place(self, element: PolicySet | Policy) -> int | None:
        if isinstance(element, Policy):
            policy = self._before.policies.get(element.id)
            return policy.position if policy else None
        policy_set = self._before.sets.get(element.id)
        return policy_set.position if policy_set and policy_set.loose else None

    def _keep_set(self, new: PolicySet, position: int, loose: bool) -> None:
        stored = self._before.sets.get(new.id)
        policies = {policy.id: self._keep_policy(policy, new.id) for policy in new.policies()}
        unchanged = stored is not None and same_body(stored.whole, new)
        own = stored.whole if stored and unchanged else read_policy_set(policy_set_body(new))
        self._sets[new.id] = StoredSet(assembled(own, policies), position, loose)
        if stored and unchanged and (stored.position, stored.loose) == (position, loose):
            return
        if stored:
            self._changes.close(schema.policy_sets, pap_id=self._pap_id, id=new.id)
        body = policy_set_body(own).decode()
        self._changes.write(
            schema.policy_sets, pap_id=self._pap_id, id=new.id, position=position, loose=loose, body=body
        )

    def _keep_policy(self, new: Policy, policy_set_id: str | None, position: int | None = None) -> Policy:
        """Gives what is held of it: the old object, if nothing has changed."""
        stored = self._before.policies.get(new.id)
        stays = stored is not None and (stored.policy_set_id, stored.position) == (policy_set_id, position)
        if stored and stays and stored.whole is new:
            self._policies[new.id] = stored
            return new
        unchanged = stored is not None and same_body(stored.whole, new)
        own = stored.whole if stored and unchanged else read_policy(policy_body(new))
        rules, rule_positions = self._keep_rules(stored, new)
        whole = own if rules == own.rules else replace(own, rules=rules)
        check_conditions(whole)
        self._policies[new.id] = StoredPolicy(whole, policy_set_id, position, rule_positions)
        if stays and unchanged:
            return whole
        if stored:
            self._changes.close(schema.policies, pap_id=self._pap_id, id=new.id)
        self._changes.write(
            schema.policies,
            pap_id=self._pap_id,
            id=new.id,
            policy_set_id=policy_set_id,
            position=position,
            body=policy_body(own).decode(),
        )
        return whole

    def _keep_rules(self, stored: StoredPolicy | None, new: Policy) -> tuple[tuple[Rule, ...], tuple[int, ...]]:
        old = {rule.id: rule for rule in stored.whole.rules} if stored else {}
        at = dict(zip(old, stored.rule_positions, strict=True)) if stored else {}
        wanted = positions([at.get(rule.id) for rule in new.rules])
        kept: list[Rule] = []
        for rule, position in zip(new.rules, wanted, strict=True):
            was = old.pop(rule.id, None)
            same = was if was is rule or was == rule else None
            if same and position == at[rule.id]:
                kept.append(same)
                continue
            body = write_rule(rule)
            kept.append(same or read_rule(body))
            if was:
                self._close_rule(new.id, rule.id)
            self._changes.write(
                schema.rules,
                pap_id=self._pap_id,
                policy_id=new.id,
                id=rule.id,
                position=position,
                body=body.decode(),
            )
        for id in old:
            self._close_rule(new.id, id)
        return tuple(kept), tuple(wanted)

    def _close_rule(self, policy_id: str, id: str) -> None:
        self._changes.close(schema.rules, pap_id=self._pap_id, policy_id=policy_id, id=id)
