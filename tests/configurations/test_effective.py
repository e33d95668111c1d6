"""Each value in force, and where it comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, SecretStr

from lakebed.configurations.difference import changes
from lakebed.configurations.effective import (
    Value,
    canonical,
    contents,
    effective,
    fingerprint,
    key_of,
)
from lakebed.settings.literal import HIDDEN, shown
from tests.configurations.layers import layers

BASE = """state = "/state"
log = "info"
[stores."my.lake"]
secret_key = "env:SK"
access_key = "lake-admin"
timeouts = { stall = "2m" }
"""


def found(upper: str = "", **environ: str) -> dict[str, Value]:
    layered = layers(BASE, "staging", upper, **environ)
    return {value.key: value for value in effective(layered, layered.written())}


def test_each_value_says_where_it_comes_from() -> None:
    variable = "LAKEBED_STORES__MY_LAKE__TIMEOUTS__TOTAL"
    values = found(
        "[stores.'my.lake']\nregion = 'r'",
        AWS_REGION="a",
        **{variable: "9", "LAKEBED_LOG": "debug"},
    )
    origins = {key: (value.value, value.origin) for key, value in values.items()}
    expected = {
        "state": ("/state", "/etc/lakebed.toml:1"),
        "log": ("debug", "LAKEBED_LOG"),
        'stores."my.lake".region': ("r", "/etc/lakebed.staging.toml:2"),
        'stores."my.lake".timeouts.stall': (120.0, "/etc/lakebed.toml:6"),
        'stores."my.lake".timeouts.total': (9.0, variable),
        'stores."my.lake".timeouts.connect': (4.0, "default"),
        "stores.aws.region": ("a", "AWS_REGION"),
        "stores.aws.credentials": ("chain", "built in"),
        "stores.binance.anonymous": (True, "built in"),
        "executor.running": (4, "default"),
    }
    assert {key: origins[key] for key in expected} == expected
    assert 'stores."my.lake".name' not in values


def test_of_a_secret_only_the_place_is_told() -> None:
    values = found("ledger = 'postgresql://u:hush@h/db?x=hush'")
    assert values['stores."my.lake".secret_key'].value == "env:SK"
    assert str(values['stores."my.lake".access_key'].value).startswith(HIDDEN)
    assert values["ledger"].value == "postgresql://***@h/db?***"


def test_another_access_key_is_seen_to_be_another() -> None:
    one, other = (
        found(f"[stores.'my.lake']\naccess_key = '{key}'")['stores."my.lake".access_key'].value
        for key in ("one", "other")
    )
    assert one != other


@pytest.mark.parametrize(
    ("key", "secret", "told"),
    [
        ("secret_key", "hush", HIDDEN),
        ("secret_key", "https://u:hush@h", HIDDEN),
        ("ledger", "sqlite:////home/u@corp/x?timeout=9", "sqlite:////home/u@corp/x?***"),
        ("ledger", "postgresql://h/db", "postgresql://h/db"),
        ("ledger", "postgresql://u:hu/sh@h/db", HIDDEN),
        ("ledger", "postgresql://u:hu?sh@h/db", HIDDEN),
        ("ledger", "postgresql://h/db?password=hu@sh", HIDDEN),
        ("ledger", "postgresql://u:hush/db", HIDDEN),
        ("ledger", "hush", HIDDEN),
        ("proxy", "http://u:hush@proxy:1/", "http://***@proxy:1/"),
    ],
)
def test_of_a_url_only_what_is_surely_no_secret_is_told(key: str, secret: str, told: str) -> None:
    assert shown(key, SecretStr(secret)) == told


VALUES: st.SearchStrategy[JsonValue] = st.sampled_from([1, 2.5, True, "x", "y", ["x"], []])
CONTENTS = st.dictionaries(st.sampled_from(["a", "b.c", "b.d", "e"]), VALUES)


@given(CONTENTS, CONTENTS)
def test_the_changes_make_the_one_of_the_other(
    before: dict[str, JsonValue], after: dict[str, JsonValue]
) -> None:
    made = dict(before)
    for change in changes(before, after):
        assert made.get(change.key) == change.before
        made[change.key] = change.after
    assert {key: value for key, value in made.items() if value is not None} == after


@given(CONTENTS)
def test_the_same_content_has_one_text_in_any_order(content: dict[str, JsonValue]) -> None:
    turned = dict(reversed(content.items()))
    assert fingerprint(canonical(turned)) == fingerprint(canonical(content))
    assert changes(content, turned) == []


def test_contents_are_values_by_their_keys() -> None:
    assert contents([Value("a", 1, "default")]) == {"a": 1}
    assert key_of(("stores", "a b", "x", 0)) == 'stores."a b".x.0'
