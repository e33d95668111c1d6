"""Becomes another program that cannot outlive the one that started it.

Run as a script, before anything of the package is imported:
`guard.py PARENT ACCOUNT PROGRAM ARGUMENT…`, where an empty account is ours.
Linux ends the program when the thread that started it ends; elsewhere the program must be ended
by its parent.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def become(parent: int, account: str, argv: list[str]) -> None:
    """Replace this process by `argv`, run by `account`, unless `parent` is gone already."""
    if account:
        _run_as(account)
    _tie_to_parent()  # after that: who becomes another user is tied to nobody any more
    # It may have died before the line above: then nobody would ever end us.
    if os.getppid() == parent:
        os.execv(argv[0], argv)


def _run_as(account: str) -> None:
    import pwd

    entry = pwd.getpwnam(account)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def _tie_to_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
