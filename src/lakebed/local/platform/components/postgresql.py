"""PostgreSQL, which holds the ledger: the machine's own programs, with a cluster of ours."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from lakebed.errors import ConfigurationError
from lakebed.local.platform.component import Component
from lakebed.local.platform.home import Home

NAME, PORT = "postgresql", 5432
ROLE = DATABASE = "lakebed"
ACCOUNT = "postgres"
"""As whom it runs where we are root, which it refuses to run as."""
_INSTALLED = Path("/usr/lib/postgresql")
_MAKING = 120.0
"""Seconds that the making of a cluster may take."""


def programs() -> Path | None:
    """The folder with `postgres` and `initdb`, of the newest version that is installed."""
    folders = sorted(_INSTALLED.glob("*/bin"), key=lambda one: int(one.parent.name), reverse=True)
    found = shutil.which("initdb")
    return folders[0] if folders else Path(found).parent if found else None


def url(home: Home, port: int) -> str:
    """Of the ledger, with its password."""
    return (
        f"postgresql://{ROLE}:{home.secret('postgresql-password')}@{home.address(port)}/{DATABASE}"
    )


def component(home: Home, port: int) -> Component:
    """Raises ConfigurationError where it is not installed."""
    found = programs()
    if found is None:
        raise ConfigurationError(
            "PostgreSQL is not installed",
            subject=NAME,
            advice="install it (Debian: postgresql), or say --profile small",
        )
    data = home.path / NAME / "data"
    account = ACCOUNT if os.getuid() == 0 else None
    return Component(
        NAME,
        version=_version(found),
        url=f"postgresql://{home.address(port)}/{DATABASE}",
        argv=(
            str(found / "postgres"),
            *("-D", str(data)),
            *("-c", f"listen_addresses={home.address(port).host}", "-c", f"port={port}"),
            *("-c", "unix_socket_directories=", "-c", "max_connections=200"),
        ),
        environment={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", "")},
        account=account,
        prepare=lambda: _make(found, home, data, account),
        is_ready=lambda: _answers(found, home, port),
        settle=lambda: _make_database(home, port),
    )


def _make(found: Path, home: Home, data: Path, account: str | None) -> None:
    """A new cluster, whole or not at all."""
    if (data / "PG_VERSION").exists():
        return
    folder, password = home.folder(NAME), home.folder(NAME) / "password"
    password.write_text(home.secret("postgresql-password"))
    draft = folder / "new"
    shutil.rmtree(draft, ignore_errors=True)
    if account is not None:
        _let_in(home.path, account)
        entry = pwd.getpwnam(account)
        for path in (folder, password):
            os.chown(path, entry.pw_uid, entry.pw_gid)
    arguments = ["--auth=scram-sha-256", f"--username={ROLE}", f"--pwfile={password}"]
    try:
        subprocess.run(
            [found / "initdb", "-D", draft, "-E", "UTF8", "--locale=C.UTF-8", *arguments],
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            user=account,
            group=account,
            extra_groups=[] if account else None,
            timeout=_MAKING,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error).encode()
        raise ConfigurationError(
            f"its cluster cannot be made: {said.decode(errors='replace').strip()}",
            subject=str(folder),
            advice="name a --home that its account can enter",
        ) from error
    finally:
        password.unlink(missing_ok=True)
    draft.rename(data)


def _let_in(home: Path, account: str) -> None:
    """Let the account pass through our folder; it reads nothing there but its own."""
    home.chmod(home.stat().st_mode | 0o011)
    entry = pwd.getpwnam(account)
    closed = next((one for one in home.parents if not _passes(one, entry.pw_uid)), None)
    if closed is not None:
        raise ConfigurationError(
            f"{account} cannot enter {closed}, and PostgreSQL does not run as root",
            subject=str(home),
            advice="name another --home, as /var/lib/lakebed, or do not run as root",
        )


def _passes(folder: Path, uid: int) -> bool:
    status = folder.stat()
    return bool(status.st_mode & 0o001) or status.st_uid == uid


def _answers(found: Path, home: Home, port: int) -> bool:
    address = home.address(port)
    asked = [str(found / "pg_isready"), "-q", "-h", address.host, "-p", str(address.port)]
    return subprocess.run(asked, check=False, timeout=10).returncode == 0


def _make_database(home: Home, port: int) -> None:
    import psycopg

    admin = url(home, port).removesuffix(DATABASE) + "postgres"
    with psycopg.connect(admin, autocommit=True, connect_timeout=10) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _version(found: Path) -> str:
    said = subprocess.run(
        [found / "postgres", "--version"], check=True, capture_output=True, text=True, timeout=10
    )
    return said.stdout.split()[2]
