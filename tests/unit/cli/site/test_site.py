"""The command as a whole, and what docs/site.md says of it."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from argus_py.cli import site
from argus_py.cli.site.findings import Topic

if TYPE_CHECKING:
    from tests.unit.cli.site.conftest import SiteHost

DOCUMENT = (Path(__file__).parents[4] / "docs" / "site.md").read_text()


def parsers() -> Iterator[argparse.ArgumentParser]:
    parser = argparse.ArgumentParser()
    site.add_arguments(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def test_every_command_is_described() -> None:
    for parser in parsers():
        assert f"\n## {parser.prog.split()[-1]}\n" in DOCUMENT


def test_the_document_names_no_option_that_is_none() -> None:
    known = {option for parser in parsers() for option in parser._option_string_actions}
    named = set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", DOCUMENT))
    assert named - known == {"--check", "--log-dir"} - known  # of the daemons


def test_every_topic_of_the_check_list_is_described() -> None:
    assert [topic.value for topic in Topic] == re.findall(
        r"^\| `([a-z-]+)` \|", DOCUMENT.partition("| topic |")[2], re.M
    )


def test_a_file_that_cannot_be_written_is_told(host: "SiteHost") -> None:
    (host.root / "argus").write_text("")
    done = host.made()
    assert done.exit_code != 0
    assert str(host.root / "argus") in done.err


def test_a_folder_in_the_place_of_a_file_is_told_and_stays(host: "SiteHost") -> None:
    folder = host.root / "argus" / "pdp" / "pdp.ini"
    folder.mkdir(parents=True)
    done = host.made("--force")
    assert (done.exit_code, f"{folder} is there and is no regular file" in done.err) == (2, True)
    assert folder.is_dir()
