"""What all commands of ``argus`` have in common."""

import io
from contextlib import redirect_stdout
from pathlib import Path

from argus_py.cli.argus import main


def test_what_the_terminal_cannot_show_is_written_as_an_escape(tmp_path: Path) -> None:
    file = tmp_path / "pepd.ini"
    file.write_text("[SERVICE]\nsize\N{LATIN SMALL LETTER E WITH ACUTE} = 1\n", encoding="utf-8")
    written = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(written, encoding="ascii", write_through=True)):
        assert main(["pepd", "--check", str(file)]) == 1
        assert b"[SERVICE] size\\xe9: unknown key, ignored" in written.getvalue()
