"""The real command, in processes of its own."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

COMMAND = str(Path(sys.executable).with_name("lakebed"))
PATIENCE = 120.0
"""Seconds after which a process that should have ended counts as hanging."""

Event = dict[str, object]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. `seconds` from its start, or from the signal that was to end it."""

    code: int
    out: str
    err: str
    seconds: float = 0.0

    @property
    def events(self) -> list[Event]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> Event:
        """The last line, which must be the summary."""
        last = self.events[-1]
        assert last["event"] == "summary", last
        return last

    @property
    def complaint(self) -> str:
        """The one line on stderr that says what is wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("lakebed: ")]
        assert len(lines) == 1, self.err
        return lines[0]

    def counts(self, *names: str) -> tuple[object, ...]:
        return tuple(self.summary[name] for name in names)


class Running:
    """A process that runs, with its JSON events as they come."""

    def __init__(self, process: subprocess.Popen[str], stderr: IO[str]) -> None:
        self._process, self._stderr = process, stderr
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._out: list[str] = []
        self._since = time.monotonic()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def until(self, kind: str, count: int = 1) -> Event:
        """Wait for the next event of a kind, or for that many; AssertionError where none comes."""
        while True:
            line = self._lines.get(timeout=PATIENCE)
            assert line is not None, f"ended before {kind}: {self._out[-3:]}"
            event: Event = json.loads(line)
            count -= event["event"] == kind
            if count <= 0:
                return event

    def first(self) -> Event:
        """Wait for the next line, whatever it is."""
        line = self._lines.get(timeout=PATIENCE)
        assert line is not None, f"ended without a word: {self.end().err}"
        event: Event = json.loads(line)
        return event

    def signal(self, number: int) -> None:
        self._since = time.monotonic()
        self._process.send_signal(number)

    def ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> Ended:
        """Wait for it to end by itself."""
        code = self._process.wait(PATIENCE)
        seconds = time.monotonic() - self._since
        self._reader.join(PATIENCE)
        self._stderr.seek(0)
        return Ended(code, "".join(self._out), self._stderr.read(), seconds)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._out.append(line)
            self._lines.put(line)
        self._lines.put(None)


@dataclass(frozen=True)
class Lakebed:
    """The command in a folder with its own configuration and state."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """What starts it."""

    @property
    def environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LAKEBED_", "AWS_"))}
        own = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}
        return {**inherited, **{k: str(self.folder / v) for k, v in own.items()}, **self.variables}

    def but(self, **variables: str) -> "Lakebed":
        return replace(self, variables={**self.variables, **variables})

    def store(self, name: str, **fields: str) -> "Lakebed":
        """With other settings for one store."""
        prefix = f"LAKEBED_STORES__{name.upper()}__"
        return self.but(**{prefix + field.upper(): value for field, value in fields.items()})

    def __call__(self, *arguments: str, stdin: str = "") -> Ended:
        """Run it to its end."""
        began = time.monotonic()
        ended = subprocess.run(
            [*self.prefix, COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        seconds = time.monotonic() - began
        return Ended(ended.returncode, ended.stdout, ended.stderr, seconds)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[Running]:
        """Run it while the scope lasts; nothing of it is left after that."""
        with (self.folder / f"stderr-{time.monotonic_ns()}").open("w+") as stderr:
            process = subprocess.Popen(
                [*self.prefix, COMMAND, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
            running = Running(process, stderr)
            try:
                yield running
            finally:
                running.close()
