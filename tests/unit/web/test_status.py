from datetime import UTC, datetime

import pytest

from argus_py.web.status import StatusPage, java_millis, java_time

STARTED = datetime(2026, 11, 22, 6, 19, 23, 123999, tzinfo=UTC)


def page(*details: tuple[str, str]) -> StatusPage:
    return StatusPage("Argus PEP Server", "1.0", STARTED, lambda: (17, 2), lambda: details)


def test_the_eleven_lines_of_the_java_daemon_come_first_and_in_order() -> None:
    lines = dict(line.split(": ") for line in page(("MapFiles", "2 loaded")).text().removesuffix("\n").split("\n"))
    memory = {name: lines.pop(name) for name in ("NumberOfProcessors", "MaxMemory", "UsedMemory")}
    assert lines == {
        "Status": "OK",
        "Service": "Argus PEP Server",
        "ServiceVersion": "1.0",
        "ServiceStartupTime": "2026-11-22T06:19:23.123Z",
        "ServiceStartupTimeMillis": "1795328363123",
        "TotalRequests": "17",
        "TotalCompletedRequests": "15",
        "TotalRequestErrors": "2",
        "MapFiles": "2 loaded",
    }
    assert int(memory["NumberOfProcessors"]) > 0
    used, most = (int(memory[name].removesuffix(" bytes")) for name in ("UsedMemory", "MaxMemory"))
    assert 0 < used < most
    assert [line.split(": ")[0] for line in page().text().splitlines()] == [
        *("Status", "Service", "ServiceVersion", "ServiceStartupTime", "ServiceStartupTimeMillis"),
        *("NumberOfProcessors", "MaxMemory", "UsedMemory"),
        *("TotalRequests", "TotalCompletedRequests", "TotalRequestErrors"),
    ]


@pytest.mark.parametrize("value", ["a: b: c", "a:\n b", "", "a\r\nb: ", ":  "])
def test_every_line_splits_into_two_whatever_a_detail_says(value: str) -> None:
    text = page(("LastError", value)).text()
    assert text.endswith("\n")
    assert all(len(line.split(": ")) == 2 for line in text.removesuffix("\n").split("\n"))


def test_the_page_is_latin_1_text() -> None:
    response = page(("LastError", "é\u2014")).response()
    assert response.headers["content-type"] == "text/plain;charset=iso-8859-1"
    assert bytes(response.body).endswith(b"LastError: \xe9?\n")


def test_times_are_utc_with_milliseconds() -> None:
    assert java_time(STARTED) == "2026-11-22T06:19:23.123Z"
    assert java_millis(STARTED) == 1795328363123
