import hashlib
from datetime import timedelta

from argus_py.model.dn import DistinguishedName
from argus_py.pap.authorization import ANYONE, Acl, Permission
from argus_py.pap.history import Note
from argus_py.pap.paps import Pap, Remote, default_pap
from argus_py.pap.take_up import ConfiguredPap, ConfiguredPaps, take_up_acl, take_up_paps
from argus_py.store.memory import MemoryPolicies

NOBODY = Acl()
CENTRAL = ConfiguredPap("central", True, True, Remote("pap.example.org"))
MINE = ConfiguredPap("mine", False, False)


def configured(*paps: ConfiguredPap, ordering: tuple[str, ...] = (), minutes: int = 5) -> ConfiguredPaps:
    return ConfiguredPaps(paps, ordering, timedelta(minutes=minutes))


def store() -> MemoryPolicies:
    repository = MemoryPolicies()
    with repository.change(Note("test", "start")) as writer:
        writer.add_pap(default_pap(lambda: "0"))
    return repository


def paps(repository: MemoryPolicies) -> tuple[Pap, ...]:
    with repository.read() as reader:
        return reader.paps()


def taken_up(repository: MemoryPolicies, wanted: ConfiguredPaps) -> tuple[str, ...]:
    return take_up_paps(repository, wanted, lambda: "1")


def test_a_new_store_gets_the_paps_order_and_interval_of_the_file() -> None:
    repository = store()
    assert taken_up(repository, configured(CENTRAL, MINE, ordering=("central", "default"))) == ()
    assert [pap.alias for pap in paps(repository)] == ["central", "default", "mine"]
    assert paps(repository)[0] == Pap("central-1", "central", True, True, Remote("pap.example.org"))
    with repository.read() as reader:
        assert reader.ordering() == ("central", "default")
        assert reader.setting("poll-interval") == "300"
    assert repository.changes()[0].note == Note("pap_configuration.ini", "take up pap_configuration.ini")


def test_a_file_that_says_the_same_changes_nothing_even_if_commands_have() -> None:
    repository = store()
    taken_up(repository, configured(CENTRAL))
    with repository.change(Note("admin", "set-paps-order")) as writer:
        writer.set_ordering(("default", "central"))
    revision = repository.revision()
    assert taken_up(repository, configured(CENTRAL)) == ()
    assert repository.revision() == revision


def test_a_known_pap_gets_the_settings_of_a_changed_file_but_for_being_enabled() -> None:
    repository = store()
    taken_up(repository, configured(CENTRAL))
    moved = ConfiguredPap("central", False, False, Remote("other.example.org"))
    assert taken_up(repository, configured(moved)) == ()
    assert paps(repository)[1] == Pap("central-1", "central", True, False, Remote("other.example.org"))


def test_a_pap_that_the_file_does_not_name_stays_and_is_told() -> None:
    repository = store()
    taken_up(repository, configured(CENTRAL, MINE))
    assert taken_up(repository, configured(CENTRAL)) == ("the pap 'mine' is not in the file and stays",)
    assert [pap.alias for pap in paps(repository)] == ["default", "central", "mine"]


def test_a_local_pap_never_becomes_a_copy_of_a_remote_one() -> None:
    repository = store()
    taken_up(repository, configured(MINE))
    told = taken_up(repository, configured(ConfiguredPap("mine", True, True, Remote("h"))))
    assert told == ("the pap 'mine' is local here and stays so: remove it first",)
    assert paps(repository)[1].is_local


def test_the_permissions_of_the_file_replace_those_of_the_store_when_it_has_changed() -> None:
    repository = store()
    anyone = Acl(((ANYONE, Permission.ALL),))
    admin = Acl(((DistinguishedName.parse_slash("/CN=Admin"), Permission.ALL),))
    take_up_acl(repository, anyone)
    with repository.change(Note("admin", "add-ace")) as writer:
        writer.set_acl(NOBODY)
    take_up_acl(repository, anyone)
    with repository.read() as reader:
        assert reader.acl() == NOBODY
    take_up_acl(repository, admin)
    with repository.read() as reader:
        assert reader.acl() == admin
    assert repository.changes()[0].note.author == "pap_authorization.ini"


def test_an_upgrade_does_not_take_up_the_same_permissions_again() -> None:
    repository = store()
    flags = Permission.POLICY_READ_LOCAL | Permission.CONFIGURATION_READ
    take_up_acl(repository, Acl(((ANYONE, flags), (DistinguishedName.parse_slash("/CN=A"), Permission.POLICY_WRITE))))
    text = b"ANYONE : POLICY_READ_LOCAL|CONFIGURATION_READ\nCN=A : POLICY_WRITE"
    digest = hashlib.sha256(text).hexdigest()
    with repository.read() as reader:
        assert reader.setting("taken-up:pap_authorization.ini") == digest
