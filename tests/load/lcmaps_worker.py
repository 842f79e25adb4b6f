"""The mapping of a CE: the LCMAPS library with the plug-ins of its packages, asked for one user after the other.

Usage: lcmaps_worker.py POLICY CALL...; a CALL is a DN and its FQANs, with "|" between them. Prints "ready", waits for a
line, then prints for each call a JSON list: the lease and the account, both null when it is refused, and the numbers of
the primary and of the secondary groups. LCMAPS takes its configuration, and libnss_wrapper the accounts and groups that
it shall know, from the environment.
"""

import ctypes
import json
import os
import pwd
import sys
from collections.abc import Sequence

Numbers = ctypes.POINTER(ctypes.c_uint)


def main() -> None:
    policy, *calls = sys.argv[1:]
    lcmaps = ctypes.CDLL("liblcmaps.so.0", mode=ctypes.RTLD_GLOBAL)  # its modules look for its symbols
    say("ready")
    sys.stdin.readline()
    for call in calls:
        dn, *fqans = call.split("|")
        say(json.dumps(mapped(lcmaps, policy, dn, fqans)))


def mapped(lcmaps: ctypes.CDLL, policy: str, dn: str, fqans: Sequence[str]) -> list[object]:
    uid, lease = ctypes.c_uint(), ctypes.c_char_p()
    primary, secondary = Numbers(), Numbers()
    primaries, secondaries = ctypes.c_int(), ctypes.c_int()
    results = map(ctypes.byref, (uid, primary, primaries, secondary, secondaries, lease))
    if lcmaps.lcmaps_init_and_logfile(os.environb[b"LCMAPS_LOG_FILE"], None, 1) != 0:
        raise RuntimeError("LCMAPS does not start")
    refused = lcmaps.lcmaps_run_with_fqans_and_return_account(
        ctypes.c_char_p(os.fsencode(dn)), strings(fqans), len(fqans), None, 1, strings([policy]), *results
    )
    answer: list[object] = [None, None, None, None]
    if not refused:
        name = None if lease.value is None else os.fsdecode(lease.value)
        groups = primary[: primaries.value], secondary[: secondaries.value]
        answer = [name, pwd.getpwuid(uid.value).pw_name, *groups]
    lcmaps.lcmaps_term()
    return answer


def strings(values: Sequence[str]) -> "ctypes.Array[ctypes.c_char_p]":
    return (ctypes.c_char_p * max(1, len(values)))(*map(os.fsencode, values))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
