"""The reference of the command line is that of the commands."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from lakebed.cli.app import build

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_reference_is_up_to_date() -> None:
    command = [sys.executable, "-m", "lakebed.cli.reference"]
    made = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert PAGE.read_bytes() == made, "run: python -m lakebed.cli.reference > docs/cli.md"


def _commands() -> list[str]:
    root = get_command(build())
    assert isinstance(root, TyperGroup)
    found = []
    for name, command in root.commands.items():
        if isinstance(command, TyperGroup):
            found.append(f"lakebed {name}")
            found += [f"lakebed {name} {inner}" for inner in command.commands]
        else:
            found.append(f"lakebed {name}")
    return found


@pytest.mark.parametrize("command", _commands())
def test_each_command_is_documented(command: str) -> None:
    assert f"\n## {command}\n" in PAGE.read_text(encoding="utf-8")
