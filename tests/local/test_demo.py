"""The demo tells its story to the end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "demo" / "run.py"


@pytest.mark.long
def test_the_demo_ends_well_and_leaves_nothing_behind(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, DEMO],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    copied = [line for line in run.stdout.splitlines() if line.startswith("Copied ")]
    assert [line.split()[1] for line in copied] == ["296", "0", "2", "0"]
    assert list(tmp_path.iterdir()) == []
