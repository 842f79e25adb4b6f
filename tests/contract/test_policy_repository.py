"""What every PolicyRepository promises: in memory, on SQLite, on PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from argus_py.model.dn import DistinguishedName
from argus_py.model.fqan import Fqan
from argus_py.model.identifiers import AttributeId, DataType, Glite
from argus_py.model.response import AttributeAssignment, Effect, Obligation
from argus_py.pap.authorization import ANYONE, Acl, Permission
from argus_py.pap.history import Change, Note
from argus_py.pap.paps import Pap, PapExists, PapNotFound, Remote, RemoteState
from argus_py.pap.ports import PolicyRepository, PolicyWriter, RepeatedId, RevisionNotFound, UnfitId
from argus_py.xacml.policy import (
    Apply,
    AttributeDesignator,
    AttributeValue,
    Category,
    Combining,
    Match,
    Policy,
    PolicyIdReference,
    PolicySet,
    Rule,
    Target,
    VariableDefinition,
    VariableReference,
)

OpenRepository = Callable[[], PolicyRepository]

NOTE = Note("CN=Admin,DC=org", "ban subject 'CN=x'", "default")
DEFAULT = Pap("default-1", "default", enabled=True, public=True)
CENTRAL = Pap("central-2", "central", remote=Remote("pap.example.org", 8151, "/p/", "http", "/DC=org/CN=pap"))
REGEXP = "urn:oasis:names:tc:xacml:1.0:function:string-regexp-match"
EQUAL = "urn:oasis:names:tc:xacml:1.0:function:string-equal"


def match(function: str, category: Category, attribute_id: str, text: str) -> Match:
    designator = AttributeDesignator(category, attribute_id, DataType.STRING)
    return Match(function, AttributeValue(DataType.STRING, text), designator)


def rule(id: str, vo: str = "atlas", effect: Effect = Effect.PERMIT) -> Rule:
    return Rule(id, effect, Target(subjects=((match(EQUAL, Category.SUBJECT, Glite.VIRTUAL_ORGANIZATION, vo),),)))


def action(id: str, *rules: Rule) -> Policy:
    target = Target(actions=((match(REGEXP, Category.ACTION, AttributeId.ACTION_ID, ".*"),),))
    return Policy(id, Combining.RULES_FIRST_APPLICABLE, rules, target)


def resource(id: str, *actions: Policy) -> PolicySet:
    target = Target(resources=((match(REGEXP, Category.RESOURCE, AttributeId.RESOURCE_ID, f"http://{id}/[.]*"),),))
    return PolicySet(id, Combining.POLICIES_FIRST_APPLICABLE, actions, target)


@pytest.fixture
def repository(open_repository: OpenRepository) -> Iterator[PolicyRepository]:
    opened = open_repository()
    with opened.change(NOTE) as writer:
        writer.add_pap(DEFAULT)
    yield opened
    close(opened)


def close(repository: PolicyRepository) -> None:
    repository.close() if hasattr(repository, "close") else None


class Undone(Exception):
    """What goes wrong at the end of a change."""


@contextmanager
def undone(repository: PolicyRepository) -> Iterator[PolicyWriter]:
    with suppress(Undone), repository.change(NOTE) as writer:
        yield writer
        raise Undone


def put(repository: PolicyRepository, *resources: PolicySet, pap: Pap = DEFAULT) -> None:
    with repository.change(NOTE) as writer:
        writer.store(pap, resources)


def stored(repository: PolicyRepository, pap: Pap = DEFAULT) -> tuple[PolicySet, ...]:
    with repository.read() as reader:
        return reader.resources(pap)


def test_a_new_repository_holds_nothing(open_repository: OpenRepository) -> None:
    repository = open_repository()
    with repository.read() as reader:
        assert reader.paps() == ()
        assert reader.revision == repository.revision()
    close(repository)


def test_paps_keep_their_settings_and_come_in_the_order_they_were_added(repository: PolicyRepository) -> None:
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
        writer.add_pap(Pap("a-3", "a"))
    with repository.read() as reader:
        assert reader.paps() == (DEFAULT, CENTRAL, Pap("a-3", "a"))


def test_an_alias_is_given_once(repository: PolicyRepository) -> None:
    with pytest.raises(PapExists), repository.change(NOTE) as writer:
        writer.add_pap(Pap("other-9", "default"))
    with repository.read() as reader:
        assert reader.paps() == (DEFAULT,)


def test_policies_come_back_as_they_were_stored(repository: PolicyRepository) -> None:
    obligation = Obligation(
        Glite.LOCAL_ENVIRONMENT_MAP, Effect.PERMIT, (AttributeAssignment(Glite.USER_ID, "<häft&ling>"),)
    )
    full = replace(
        resource(
            "r1",
            replace(action("private_a1", rule("u1"), rule("u2", effect=Effect.DENY)), obligations=(obligation,)),
            replace(action("public_a2"), description="no rules yet", version="7"),
        ),
        obligations=(obligation, replace(obligation, assignments=())),
        description="worker nodes",
        version="12",
    )
    put(repository, full, resource("r0"))
    assert stored(repository) == (full, resource("r0"))


def test_storing_a_pap_changes_its_settings_and_version(repository: PolicyRepository) -> None:
    changed = replace(DEFAULT, enabled=False, public=False, version=5)
    put(repository, pap=changed)
    with repository.read() as reader:
        assert reader.paps() == (changed,)


def test_a_pap_that_was_never_added_cannot_be_stored(repository: PolicyRepository) -> None:
    with pytest.raises(PapNotFound):
        put(repository, resource("r"), pap=CENTRAL)
    assert stored(repository, CENTRAL) == ()


def test_the_last_stored_policies_replace_all_others(repository: PolicyRepository) -> None:
    a, b, c = (action(id, rule(f"u{id}")) for id in "abc")
    for resources in (
        (resource("r1", a, b), resource("r2", c)),
        (resource("r2", c), resource("r1", b, a)),  # another order
        (resource("r3"), resource("r2"), resource("r1", a)),  # actions gone, a resource before the others
        (resource("r1", replace(a, rules=(rule("u9"),))),),  # resources gone, a rule changed
        (resource("r4", a, b, c),),  # an action under another resource
        (),
    ):
        put(repository, *resources)
        assert stored(repository) == resources


def test_paps_do_not_touch_each_other(repository: PolicyRepository) -> None:
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
    same_ids = resource("r", action("a", rule("u")))
    put(repository, same_ids)
    put(repository, replace(same_ids, description="a copy of the same resource"), pap=CENTRAL)
    put(repository)
    assert stored(repository) == ()
    assert stored(repository, CENTRAL) == (replace(same_ids, description="a copy of the same resource"),)


def test_a_block_that_raises_changes_nothing(repository: PolicyRepository) -> None:
    put(repository, resource("r1"))
    before = repository.revision()
    with undone(repository) as writer:
        writer.store(replace(DEFAULT, version=9), (resource("r2"),))
    assert stored(repository) == (resource("r1"),)
    assert repository.revision() == before


def test_what_was_undone_is_forgotten_by_later_readers(repository: PolicyRepository) -> None:
    with undone(repository) as writer:
        writer.store(DEFAULT, (resource("r", action("a", rule("u", "undone"))),))
        writer.resources(DEFAULT)
    kept = resource("r", action("a", rule("u", "kept")))
    put(repository, kept)
    assert stored(repository) == (kept,)


def test_a_writer_reads_what_it_wrote(repository: PolicyRepository) -> None:
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
        writer.store(CENTRAL, (resource("r", action("a")),))
        assert writer.paps() == (DEFAULT, CENTRAL)
        assert writer.resources(CENTRAL) == (resource("r", action("a")),)


def test_the_time_of_the_last_change_is_kept(repository: PolicyRepository) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)  # it is kept in whole milliseconds
    with repository.change(NOTE) as writer:
        writer.add_pap(Pap("id-of-changed", "changed"))
    with repository.read() as reader:
        first = reader.changed_at
    with repository.change(NOTE):
        pass
    with repository.read() as reader:
        assert before <= first == reader.changed_at <= datetime.now(UTC)


def test_the_revision_grows_with_changes_only(repository: PolicyRepository) -> None:
    first = repository.revision()
    put(repository, resource("r"))
    second = repository.revision()
    with repository.change(NOTE) as writer:
        writer.paps()
    with repository.read() as reader:
        assert reader.revision == second
    assert first < second == repository.revision()


def test_a_commit_is_told_after_it_can_be_read(open_repository: OpenRepository) -> None:
    seen: list[tuple[Pap, ...]] = []

    def look() -> None:
        with opened.read() as reader:
            seen.append(reader.paps())

    opened = open_repository()
    opened.on_commit(look)
    with opened.change(NOTE) as writer:
        writer.add_pap(DEFAULT)
    with opened.change(NOTE):
        pass
    with pytest.raises(PapExists), opened.change(NOTE) as writer:
        writer.add_pap(DEFAULT)
    assert seen == [(DEFAULT,)]
    close(opened)


def test_a_reader_stays_with_the_state_it_began_with(repository: PolicyRepository) -> None:
    put(repository, resource("r1"))
    with repository.read() as reader:
        put(repository, resource("r2"), pap=replace(DEFAULT, version=1))
        assert reader.resources(DEFAULT) == (resource("r1"),)
        assert reader.paps() == (DEFAULT,)
        assert reader.revision < repository.revision()
    assert stored(repository) == (resource("r2"),)


def test_writers_that_come_together_lose_nothing(repository: PolicyRepository) -> None:
    threads, each = 4, 5
    start = threading.Barrier(threads)

    def add(number: int) -> None:
        start.wait()
        for turn in range(each):
            with repository.change(NOTE) as writer:
                there = writer.resources(DEFAULT)
                (pap,) = writer.paps()
                writer.store(replace(pap, version=pap.version + 1), (*there, resource(f"r{number}-{turn}")))

    workers = [threading.Thread(target=add, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with repository.read() as reader:
        (pap,) = reader.paps()
        ids = [policy_set.id for policy_set in reader.resources(pap)]
    assert pap.version == threads * each
    assert sorted(ids) == sorted(f"r{number}-{turn}" for number in range(threads) for turn in range(each))
    for number in range(threads):
        own = [id for id in ids if id.startswith(f"r{number}-")]
        assert own == [f"r{number}-{turn}" for turn in range(each)]


def test_the_ordering_decides_and_paps_that_are_not_in_it_follow(repository: PolicyRepository) -> None:
    other = Pap("other-3", "other")
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
        writer.add_pap(other)
        writer.set_ordering(("other", "default"))
    with repository.read() as reader:
        assert reader.ordering() == ("other", "default")
        assert reader.paps() == (other, DEFAULT, CENTRAL)


def test_a_removed_pap_leaves_nothing_behind(repository: PolicyRepository) -> None:
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
        writer.store(CENTRAL, (resource("r", action("a", rule("u"))),), (action("b", rule("u")),))
        writer.set_ordering(("central", "default"))
    with repository.change(NOTE) as writer:
        writer.remove_pap(CENTRAL)
    with repository.read() as reader:
        assert reader.paps() == (DEFAULT,)
        assert reader.ordering() == ("default",)
        assert reader.resources(CENTRAL) == reader.loose(CENTRAL) == ()


def test_a_pap_that_comes_back_stands_behind_the_others_and_is_empty(repository: PolicyRepository) -> None:
    other = Pap("other-3", "other")
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
        writer.add_pap(other)
        writer.store(CENTRAL, (resource("r", action("a", rule("u"))),))
    with repository.change(NOTE) as writer:
        writer.remove_pap(CENTRAL)
        writer.add_pap(CENTRAL)
    with repository.read() as reader:
        assert reader.paps() == (DEFAULT, other, CENTRAL)
        assert reader.resources(CENTRAL) == ()
        assert reader.modified_at(CENTRAL) is None


def test_a_pap_that_is_not_there_cannot_be_removed(repository: PolicyRepository) -> None:
    with pytest.raises(PapNotFound), repository.change(NOTE) as writer:
        writer.remove_pap(CENTRAL)


def test_an_alias_can_be_changed_but_not_to_one_that_is_taken(repository: PolicyRepository) -> None:
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
    with pytest.raises(PapExists):
        put(repository, pap=replace(CENTRAL, alias="default"))
    put(repository, pap=replace(CENTRAL, alias="elsewhere"))
    with repository.read() as reader:
        assert [pap.alias for pap in reader.paps()] == ["default", "elsewhere"]


def test_aliases_can_be_exchanged_in_one_change(repository: PolicyRepository) -> None:
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
    with repository.change(NOTE) as writer:
        writer.store(replace(CENTRAL, alias="between"), ())
        writer.store(replace(DEFAULT, alias="central"), ())
        writer.store(replace(CENTRAL, alias="default"), ())
    with repository.read() as reader:
        assert {pap.id: pap.alias for pap in reader.paps()} == {DEFAULT.id: "central", CENTRAL.id: "default"}


def test_loose_objects_keep_their_order_and_can_come_into_use(repository: PolicyRepository) -> None:
    policy, policy_set = action("a", rule("u")), resource("r", action("b", rule("u")))
    with repository.change(NOTE) as writer:
        writer.store(DEFAULT, (resource("q"),), (policy, policy_set, action("c")))
    with repository.read() as reader:
        assert reader.resources(DEFAULT) == (resource("q"),)
        assert reader.loose(DEFAULT) == (policy, policy_set, action("c"))
    with repository.change(NOTE) as writer:
        writer.store(DEFAULT, (policy_set, resource("q", policy)), (action("c"), action("b2")))
    with repository.change(NOTE) as writer:
        writer.store(DEFAULT, (policy_set, resource("q", policy)))
    with repository.read() as reader:
        assert reader.resources(DEFAULT) == (policy_set, resource("q", policy))
        assert reader.loose(DEFAULT) == (action("c"), action("b2"))


def test_a_reference_beside_the_policy_it_names_stays_a_reference(repository: PolicyRepository) -> None:
    policy = action("a", rule("u"))
    odd = replace(resource("r"), children=(PolicyIdReference("a"), policy, PolicyIdReference("a", version="1")))
    also = replace(resource("s"), children=(PolicyIdReference("a"), resource("nested", action("a"), action("a"))))
    put(repository, odd, also)
    assert stored(repository) == (odd, also)


def test_rules_with_conditions_and_variables_come_back(repository: PolicyRepository) -> None:
    yes = VariableDefinition("yes", AttributeValue(DataType.BOOLEAN, "true"))
    condition = Apply("urn:oasis:names:tc:xacml:1.0:function:not", (VariableReference("yes"),))
    policy = replace(action("a", replace(rule("u"), condition=condition), rule("v")), variables=(yes,))
    put(repository, resource("r", policy))
    assert stored(repository) == (resource("r", policy),)


@pytest.mark.parametrize(
    ("resources", "loose", "culprit"),
    [
        ((resource("r"), resource("r")), (), "policy set 'r'"),
        ((resource("r"),), (resource("r"),), "policy set 'r'"),
        ((resource("r", action("a")), resource("s", action("a"))), (), "policy 'a'"),
        ((resource("r", action("a")),), (action("a"),), "policy 'a'"),
        ((resource("r", action("{a}", rule("u"), rule("v"), rule("u"))),), (), "policy '{a}' with the rule 'u'"),
    ],
)
def test_an_id_is_given_once_in_a_pap(
    repository: PolicyRepository, resources: tuple[PolicySet, ...], loose: tuple[PolicySet | Policy, ...], culprit: str
) -> None:
    with pytest.raises(RepeatedId, match=culprit), repository.change(NOTE) as writer:
        writer.store(DEFAULT, resources, loose)
    assert stored(repository) == ()


def test_ids_are_odd_but_not_endless(repository: PolicyRepository) -> None:
    longest = "\U0001f600" * 200
    for id in ("", " ", "'; DROP TABLE store; --", "a\n\tb", "<&>", longest):
        odd = resource(id, action(id, rule(id)))
        put(repository, odd)
        assert stored(repository) == (odd,)
    for too_long in (
        resource(longest + "x"),
        resource("r", action(longest + "x")),
        resource("r", action("a", rule("x" * 201))),
    ):
        with pytest.raises(UnfitId):
            put(repository, too_long)
    with pytest.raises(UnfitId), repository.change(NOTE) as writer:
        writer.add_pap(Pap("x" * 201, "x"))


def test_settings_are_kept_and_forgotten(repository: PolicyRepository) -> None:
    with repository.change(NOTE) as writer:
        assert writer.setting("poll-interval") is None
        writer.set_setting("poll-interval", "3600")
        writer.set_setting("other", "")
        assert writer.setting("poll-interval") == "3600"
    with repository.change(NOTE) as writer:
        writer.set_setting("poll-interval", "60")
        writer.set_setting("other", None)
    with repository.read() as reader:
        assert reader.setting("poll-interval") == "60"
        assert reader.setting("other") is None


def test_an_access_control_list_that_was_never_set_is_none_and_not_empty(repository: PolicyRepository) -> None:
    acl = Acl(
        (
            (DistinguishedName.parse_slash("/DC=org/CN=robot/CN=admin, the 2nd"), Permission.ALL),
            (Fqan.parse("/dteam/Role=lcgadmin"), Permission.POLICY_WRITE | Permission.POLICY_READ_LOCAL),
            (ANYONE, Permission(0)),
        )
    )
    with repository.read() as reader:
        assert reader.acl() is None
    for wanted in (acl, Acl(), acl):
        with repository.change(NOTE) as writer:
            writer.set_acl(wanted)
        with repository.read() as reader:
            assert reader.acl() == wanted


def test_every_change_stands_in_the_history_with_its_note(repository: PolicyRepository) -> None:
    first = repository.changes()
    note = Note("a part", "refresh", None)
    put(repository, resource("r"))
    with repository.change(note) as writer:
        writer.set_setting("k", "v")
    with repository.change(note):
        pass
    with undone(repository) as writer:
        writer.set_setting("k", "w")
    newest, before, *others = repository.changes()
    assert (newest.note, before.note, tuple(others)) == (note, NOTE, first)
    assert (newest.revision, before.revision) == (repository.revision(), repository.revision() - 1)
    with repository.read(before.revision) as reader:
        assert reader.changed_at == before.made_at


def test_the_history_is_read_in_pages(repository: PolicyRepository) -> None:
    for number in range(5):
        put(repository, resource(f"r{number}"))
    everything = repository.changes(limit=100)
    pages: list[Change] = []
    while page := repository.changes(before=pages[-1].revision if pages else None, limit=2):
        assert len(page) <= 2
        pages += page
    assert tuple(pages) == everything
    assert [change.revision for change in everything] == list(range(repository.revision(), 0, -1))
    assert repository.changes(limit=0) == ()


def test_a_note_holds_whatever_an_administrator_typed(repository: PolicyRepository) -> None:
    with repository.change(Note("CN=\x00", "ban 'a\ud800'", "\x00")) as writer:
        writer.set_setting("k", "v")
    (change,) = repository.changes(limit=1)
    assert change.note.command.startswith("ban 'a")


def test_the_state_after_every_change_can_be_read_again(repository: PolicyRepository) -> None:
    policies = [
        (resource("r", action("a", rule("u"))),),
        (resource("s"), resource("r", action("a", rule("v"), rule("u")))),
        (resource("r", action("b"), action("a", rule("u"))),),
        (),
    ]
    revisions = []
    for number, wanted in enumerate(policies):
        with repository.change(NOTE) as writer:
            writer.store(replace(DEFAULT, version=number), wanted)
            writer.set_setting("number", str(number))
        revisions.append(repository.revision())
    for number, (revision, wanted) in enumerate(zip(revisions, policies, strict=True)):
        with repository.read(revision) as reader:
            assert reader.revision == revision
            assert reader.resources(DEFAULT) == wanted
            assert reader.paps() == (replace(DEFAULT, version=number),)
            assert reader.setting("number") == str(number)


@pytest.mark.parametrize("distance", [-1_000_000, -2, 1])
def test_a_revision_that_never_was_is_not_found(repository: PolicyRepository, distance: int) -> None:
    revision = repository.revision() + distance
    with pytest.raises(RevisionNotFound), repository.read(revision):
        pass


def test_an_empty_store_is_revision_zero_for_ever(repository: PolicyRepository) -> None:
    with repository.read(0) as reader:
        assert reader.paps() == ()
        assert reader.changed_at == datetime.fromtimestamp(0, UTC)


def test_a_pap_tells_when_it_was_changed(repository: PolicyRepository) -> None:
    with repository.read() as reader:
        assert reader.modified_at(DEFAULT) is None
    put(repository, resource("r"))
    with repository.read() as reader:
        assert reader.modified_at(DEFAULT) == reader.changed_at
        modified = reader.modified_at(DEFAULT)
    with repository.change(NOTE) as writer:
        writer.set_setting("k", "v")
    with repository.read() as reader:
        assert reader.modified_at(DEFAULT) == modified


def test_what_became_of_copies_is_kept_without_a_change(repository: PolicyRepository) -> None:
    with repository.change(NOTE) as writer:
        writer.add_pap(CENTRAL)
    before = repository.revision()
    assert repository.remote_states() == {}
    good = RemoteState(datetime(2026, 11, 24, 12, 0, 0, 5000, tzinfo=UTC))
    bad = replace(good, failed_at=datetime(2026, 11, 24, 13, tzinfo=UTC), reason="<no>", quarantined=True)
    for state in (good, bad):
        repository.note_remote(CENTRAL, state)
        assert repository.remote_states() == {CENTRAL.id: state}
    repository.note_remote(Pap("gone-9", "gone"), good)
    assert repository.remote_states() == {CENTRAL.id: bad}
    assert repository.revision() == before
