"""What a process imports is what it waits for: nothing that its command does not need."""

import os
import subprocess
import sys
from pathlib import Path

CLOSED = {"HERE": "http://127.0.0.1:9", "THERE": "http://127.0.0.1:10"}
_SCRIPT = """
import sys
from lakebed.cli.entry import run
code = run(sys.argv[1:])
print(*sorted(sys.modules))
sys.exit(code)
"""


def imported(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """The exit code of a command, and the modules that its process has imported in the end."""
    stores = {
        f"LAKEBED_STORES__{name}__{field}": value
        for name, endpoint in CLOSED.items()
        for field, value in (
            ("ENDPOINT", endpoint),
            ("ACCESS_KEY", "any-access-key"),
            ("SECRET_KEY", "any-secret-key"),
        )
    }
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments],
        env={"PATH": os.environ["PATH"], "LAKEBED_STATE": str(folder), **stores},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, set(ended.stdout.splitlines()[-1].split())


def test_help_imports_the_commands_and_nothing_that_they_use(tmp_path: Path) -> None:
    code, modules = imported(tmp_path, "--help")
    assert code == 0
    assert not modules & {
        "lakebed.settings",
        "lakebed.operations",
        "lakebed.transfer",
        "asyncio",
        "botocore",
        "pycurl",
        "pydantic",
        "rich",
        "sqlalchemy",
    }


def test_a_sync_imports_no_other_command_and_nothing_for_rarer_needs(tmp_path: Path) -> None:
    arguments = ("sync", "here:b/", "there:b/", "--retries", "0")
    imported(tmp_path, *arguments)  # makes the ledger, which takes a migration
    code, modules = imported(tmp_path, *arguments)
    assert code == 5, "the stores are not there"
    assert "lakebed.transfer.sync" in modules
    assert not modules & {
        "alembic",
        "awscrt",
        "botocore",
        "email.mime",
        "http.client",
        "jinja2",
        "lakebed.cli.commands.archive",
        "lakebed.cli.commands.operations",
        "lakebed.local",
        "opentelemetry",
        "prometheus_client",
        "psycopg",
        "rich",
        "sqlalchemy.orm",
        "urllib.request",
        "xml.sax",
    }
