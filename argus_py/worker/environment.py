"""The environment of the payload: what gLExec lets through of the caller's, and the two variables it sets itself.

What the caller's environment holds has no effect on this program either: it is taken away before anything is loaded
that would look at it.
"""

from collections.abc import Iterable, Mapping

from argus_py.worker.glexec_conf import is_hostile

CLIENT_CERT = "GLEXEC_CLIENT_CERT"
SOURCE_PROXY = "GLEXEC_SOURCE_PROXY"
TARGET_PROXY = "GLEXEC_TARGET_PROXY"
TARGET_DIR = "GLEXEC_TARGET_DIR"
MODE = "GLEXEC_MODE"
PILOT_PROXY = "X509_USER_PROXY"
_OWN = "GLEXEC_"
_HOME = "HOME"


def payload_environment(
    caller: Mapping[str, str], preserved: Iterable[str], home: str, proxy: str | None
) -> dict[str, str]:
    """``proxy`` is the copy made for the payload; without one the variable is taken away, lest it name the pilot's.

    ``GLEXEC_ENV``, in which frameworks pack what they want to keep, goes through like all of its family.
    """
    names = frozenset(preserved)
    kept = {
        name: value
        for name, value in caller.items()
        if (name.startswith(_OWN) or name in names) and not is_hostile(name) and name not in (_HOME, PILOT_PROXY)
    }
    kept[_HOME] = home
    if proxy is not None:
        kept[PILOT_PROXY] = proxy
    return kept
