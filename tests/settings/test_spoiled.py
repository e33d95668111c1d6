"""A configuration that somebody or something spoiled: settings, or one line that says where."""

from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lakebed.errors import ConfigurationError
from lakebed.settings import Settings, load
from tests.strategies import spoiled

SOUND = b"""state = "state"
log = "info"
ledger = "env:LEDGER"

[stores.lake]
endpoint = "http://127.0.0.1:9000"
access_key = "lake-admin"
secret_key = "file:secret"
region = "us-east-1"
ca = "ca.pem"
proxy = "http://user:word@proxy:3128"
digests = "off"
disable = ["ordered"]
timeouts = { connect = "2s", total = 60 }
default = true
"""
DEEP = b"[" * 100_000


@given(spoiled(st.just(SOUND)))
@example(b"disable = " + DEEP)
@example(SOUND + b"\n[stores.more]\ndisable = " + DEEP)
@example(b"log = " + b"9" * 5000)
@example(b'state = "a\\u0000b"')
@example(b'ledger = "file:a\\u0000b"')
@example(b'ca = "~none-such/ca.pem"')
@example(b'state = "~none-such/state"')
@example(b'ledger = "file:~none-such/ledger"')
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_spoiled_configuration_is_read_or_refused_in_one_line(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "lakebed.toml").write_bytes(content)
    try:
        found = load(None, {"LEDGER": "sqlite:///ledger", "HOME": str(tmp_path)}, tmp_path)
    except ConfigurationError as refused:
        said = str(refused)
    else:
        assert isinstance(found, Settings)
        return
    assert "\n" not in said
    assert "word@proxy" not in said


FIELDS = ["ENDPOINT", "REGION", "CA", "PROXY", "DISABLE", "TIMEOUTS__STALL", "X"]
PREFIX = "LAKEBED_STORES__LAKE__"


@given(
    st.dictionaries(
        st.sampled_from(FIELDS).map(PREFIX.__add__),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_variables_of_any_text_are_read_or_refused_by_their_name(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    try:
        found = load(None, variables | {"HOME": str(tmp_path)}, tmp_path)
    except ConfigurationError as refused:
        said = str(refused)
    else:
        assert isinstance(found, Settings)
        return
    assert PREFIX in said or "stores.lake" in said
