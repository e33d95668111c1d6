"""A server as a child process: started, watched, ended by its id."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from lakebed.local import guard

_TAIL_BYTES = 2_000


class Child:
    """A process that ends with us, and that a Ctrl-C in our terminal does not reach.

    `log` receives what it prints. `keep` are file descriptors that it holds until it ends.
    `account` is the user that it becomes, where we are root.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        keep: Sequence[int],
        account: str | None = None,
    ) -> None:
        self._account = account
        self._argv = argv
        self._environment = environment
        self._log = log
        self._keep = keep
        self._started = threading.Event()
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None
        # The kernel ties the child to the thread that starts it: this one lives exactly as long.
        self._watch = threading.Thread(target=self._run, name=f"child {argv[0]}", daemon=True)

    def start(self) -> None:
        """Raises OSError where the program cannot be started."""
        self._watch.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        guarded = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid())]
        guarded += [self._account or "", *self._argv]
        try:
            with open(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)) as log:
                self._process = subprocess.Popen(
                    guarded,
                    env=dict(self._environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=self._keep,
                    start_new_session=True,
                )
        except OSError as failure:
            self._failure = failure
        self._started.set()
        if self._process is not None:
            self._process.wait()
        self._ended.set()

    @property
    def pid(self) -> int:
        """The id of the process; 0 before `start`."""
        return self._process.pid if self._process is not None else 0

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def wait(self, timeout: float | None = None) -> int | None:
        """Its exit status (negative: the signal) once it has ended; None after `timeout` s."""
        ended = self._ended.wait(timeout)
        return self._process.returncode if ended and self._process is not None else None

    def stop(self, grace: float) -> None:
        """Ask it to end, and end it after `grace` seconds."""
        if self._process is None:
            return
        self._process.terminate()
        if not self._ended.wait(grace):
            self._process.kill()
        self._watch.join()

    def tail(self) -> str:
        """The last lines of its log."""
        try:
            content = self._log.read_bytes()
        except OSError:
            return ""
        return content[-_TAIL_BYTES:].decode(errors="replace").strip()
