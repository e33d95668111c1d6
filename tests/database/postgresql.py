"""A PostgreSQL server of our own for the tests, from the binaries that the system has."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

ACCOUNT = "postgres"
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def why_not() -> str | None:
    """Why there can be no server here, in one line; None where there can."""
    if not BINARIES:
        return "no PostgreSQL server binaries under /usr/lib/postgresql"
    if os.getuid() == 0 and ACCOUNT not in (entry.pw_name for entry in pwd.getpwall()):
        return f"PostgreSQL refuses root, and there is no account {ACCOUNT} to run it as"
    return None


@dataclass
class Server:
    """It listens at a socket in its folder only, so that no port can be taken twice."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        return f"postgresql://{ACCOUNT}@/{database}?host={self.folder}"

    def new_database(self, template: str = "template0") -> str:
        """The name of a database of its own, a copy of `template`."""
        name = f"test_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        return name

    def start(self) -> None:
        settings = f"-c listen_addresses= -c fsync=off -c unix_socket_directories={self.folder}"
        _run(self.folder, "pg_ctl", "start", "--wait", "-l", f"{self.folder}/log", "-o", settings)

    def stop(self) -> None:
        """At once, as if it was killed."""
        _run(self.folder, "pg_ctl", "stop", "--wait", "--mode=immediate")

    def execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def restart(self) -> None:
        """As after a crash: whoever is connected is cut off."""
        _run(self.folder, "pg_ctl", "restart", "--wait", "--mode=immediate", "-l", self._log)

    @property
    def _log(self) -> str:
        return str(self.folder / "log")


@contextmanager
def serve() -> Iterator[Server]:
    # Not below the folder of the tests, which other accounts may not enter.
    folder = Path(tempfile.mkdtemp(prefix="lakebed-postgresql-"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, ACCOUNT, ACCOUNT)
        _run(folder, "initdb", "--auth=trust", f"--username={ACCOUNT}", "-E", "UTF8", "--no-sync")
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, program: str, *arguments: str) -> None:
    account = ACCOUNT if os.getuid() == 0 else None
    subprocess.run(
        [BINARIES[0] / program, "-D", folder / "data", *arguments],
        check=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        user=account,
        group=account,
        extra_groups=[] if account else None,
    )
