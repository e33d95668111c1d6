"""The list of `--files-from`, whatever is in it."""

import re
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lakebed.cli.flatten import GivenOrder
from lakebed.cli.options import Selection
from lakebed.cli.request import filters
from lakebed.errors import UsageError
from tests.strategies import KEYS, spoiled

NAMED = KEYS.filter(lambda key: not {"\n", "\r"} & set(key))
ONE_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def keys_of(path: Path, content: bytes) -> tuple[str, ...] | None:
    path.write_bytes(content)
    return filters(Selection(GivenOrder(()), files_from=path)).keys


@given(st.lists(NAMED), st.sampled_from(["\n", "\r\n", "\n\n"]))
@ONE_FILE
def test_each_line_is_one_key(tmp_path: Path, keys: list[str], end: str) -> None:
    assert keys_of(tmp_path / "names", "".join(key + end for key in keys).encode()) == tuple(keys)


@given(spoiled(st.lists(NAMED).map(lambda keys: "\n".join(keys).encode())))
@example(b"a\n\xff")
@ONE_FILE
def test_a_spoiled_list_is_its_own_lines_or_wrong_usage(tmp_path: Path, content: bytes) -> None:
    try:
        found = keys_of(tmp_path / "names", content)
    except UsageError as refused:
        said = str(refused)
    else:
        assert found is not None
        assert set(found) <= {line.removesuffix("\r") for line in content.decode().split("\n")}
        return
    assert re.fullmatch(
        rf"--files-from {tmp_path / 'names'}, line \d+: (keys are UTF-8|a key has .*)", said
    )
