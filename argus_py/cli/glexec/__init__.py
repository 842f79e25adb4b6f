"""argus-glexec: runs the payload of a pilot job in the account of its owner, or in the pilot's, if Argus permits it.

    GLEXEC_CLIENT_CERT=payload-proxy X509_USER_PROXY=pilot-proxy argus-glexec COMMAND [ARGUMENT...]

Command line, variables, exit codes and log lines are those of gLExec with LCMAPS. Started as root it changes the
identity; started by anybody else it logs only: the decision is made, logged and obeyed, the account stays.

It is no setuid program, and refuses to be one: an interpreter reads variables and files of its starter long before the
first line of this package. Root starts it through sudo or doas, which begin with an environment of their own, and by a
launcher that runs ``python -I``: no variable, no current folder, no folder of a user is looked at for code.

Who the caller is, is then told by SUDO_UID and SUDO_GID, or DOAS_USER. They may be trusted because sudo and doas set
them after whatever the caller had, and because only root can start this with the user id of root: who could lie in them
is root already. Both at once are refused: doas hands on a SUDO_UID of the caller's if its rule says ``keepenv``.

The configuration is /etc/glexec.conf; another file can be named in the launcher, by its author, and not by the caller.

Source: worker node guides of gLite and EMI; GridWiki, "GLExec Environment" and "Man pages of gLExec"
"""

import gc
import os
import sys
from collections.abc import Sequence
from typing import Final

from argus_py import __version__
from argus_py.worker.errors import EXIT_CLIENT

CONFIGURATION: Final = "/etc/glexec.conf"
_USAGE: Final = """\
Usage: argus-glexec COMMAND [ARGUMENT...]
       argus-glexec -h | --help | -v | --version

Runs the command in the account that Argus gives the owner of the payload proxy.

Environment:
  GLEXEC_CLIENT_CERT   the payload proxy: whom to authorise (mandatory)
  X509_USER_PROXY      the pilot's own proxy, shown to Argus
  GLEXEC_SOURCE_PROXY  what is copied for the payload, if not the payload proxy; /dev/null: nothing
  GLEXEC_TARGET_PROXY  where to; else /tmp/x509up_u<uid>.glexec.<pid>
  GLEXEC_TARGET_DIR    working directory of the payload
  GLEXEC_MODE          lcmaps_get_account (default) or lcmaps_verify_account

Exit codes: those of the command; 201 mistake of the caller, 202 mistake of the site, 203 refused,
204 the command ended with one of these four, 126 the command cannot be executed."""


def main(argv: Sequence[str] | None = None, configuration: str = CONFIGURATION) -> int:
    """The exit code; returns only where no payload has taken the place of this process.

    ``argv`` without the program's name.
    """
    environment = dict(os.environ)
    # Before anything is loaded: OpenSSL, the C library and others look at variables that the caller may have set.
    os.environ.clear()
    sys.dont_write_bytecode = True  # root would write it with modes that hide it from everybody else
    gc.disable()  # collecting while modules load costs a tenth of the start, and nothing here piles up
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["-v"], ["--version"]):
        print(f"argus-glexec (argus-py) {__version__}")
        return 0
    if arguments[:1] in (["-h"], ["--help"]):
        print(_USAGE)
        return 0
    if arguments[:1] == ["--"]:
        del arguments[0]
    elif not arguments or arguments[0].startswith("-"):
        print(_USAGE, file=sys.stderr)
        return EXIT_CLIENT
    from argus_py.cli.glexec.run import run  # noqa: PLC0415 - what it loads must not see the caller's environment

    return run(arguments, environment, configuration)
