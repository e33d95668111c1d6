"""What the configuration says, and what it refuses."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from lakebed.errors import ConfigurationError, UnknownStore
from lakebed.settings import Settings, load
from lakebed.settings.locate import line_of


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "lakebed.toml"


def _load(file: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    file.write_text(text)
    return load(file, environ or {}, file.parent)


def _refusal(file: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _load(file, text, environ)
    return str(caught.value)


FULL = """
state = "state"
log = "info"

[stores.lake]
endpoint = "http://127.0.0.1:9000/"
access_key = "lake-admin"
secret_key = "file:secret"
ca = "ca.pem"
proxy = "http://user:word@proxy:3128"
digests = "off"
disable = ["unpack"]
timeouts = { connect = "2s", total = 60 }
"""


def test_each_field_is_read(file: Path) -> None:
    settings = _load(file, FULL)
    store = settings.store("lake")
    assert (store.name, store.url, store.region) == ("lake", "http://127.0.0.1:9000", "us-east-1")
    assert (store.addressing, store.authentication, store.digests) == ("path", "static", "off")
    assert (store.timeouts.connect, store.timeouts.stall, store.timeouts.total) == (2, 60, 60)
    assert store.disable == ("unpack",)
    assert settings.log == "info"


def test_relative_paths_are_those_of_the_file(file: Path) -> None:
    settings = _load(file, FULL)
    store = settings.store("lake")
    assert settings.state == file.parent / "state"
    assert store.ca == file.parent / "ca.pem"
    assert store.secret_key
    assert store.secret_key.get_secret_value() == f"file:{file.parent / 'secret'}"


def test_no_secret_is_in_a_repr(file: Path) -> None:
    text = FULL.replace("file:secret", "hush-hush") + 'session_token = "also-hushed"\n'
    shown = repr(_load(file, 'ledger = "postgresql://u:pass-hushed@h/db"\n' + text))
    assert "hush" not in shown
    assert "word" not in shown


def test_the_defaults_lie_in_the_state_folder(file: Path) -> None:
    settings = _load(file, "")
    assert settings.state == file.parent / "state" / "lakebed"
    ledger = settings.ledger.get_secret_value()
    assert ledger == f"sqlite:///{settings.state}/ledger.sqlite"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///x.sqlite", "sqlite:///FOLDER/x.sqlite"),
        ("sqlite:///a/x.sqlite?timeout=9", "sqlite:///FOLDER/a/x.sqlite?timeout=9"),
        ("sqlite:////a/x.sqlite", "sqlite:////a/x.sqlite"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///file:x.sqlite?uri=true", "sqlite:///file:x.sqlite?uri=true"),
        ("sqlite:///", "sqlite:///"),
        ("sqlite://", "sqlite://"),
        ("postgresql://u@h/x.sqlite", "postgresql://u@h/x.sqlite"),
    ],
)
def test_the_ledgers_relative_path_is_that_of_the_file(file: Path, url: str, expected: str) -> None:
    settings = _load(file, f"ledger = {url!r}")
    found = settings.ledger.get_secret_value()
    assert found == expected.replace("FOLDER", str(file.parent))


def test_the_ledgers_path_is_quoted_as_its_url_asks_for(file: Path) -> None:
    folder = file.parent / "50% ?"
    folder.mkdir()
    url = _load(folder / file.name, 'ledger = "sqlite:///a%3Fb"').ledger.get_secret_value()
    assert make_url(url).database == str(folder / "a?b")


def test_the_ledgers_path_in_a_variable_is_that_of_the_process(file: Path) -> None:
    settings = _load(file, "", {"LAKEBED_LEDGER": "sqlite:///x.sqlite"})
    assert settings.ledger.get_secret_value() == "sqlite:///x.sqlite"


def test_the_ledgers_url_may_be_kept_in_a_file(file: Path) -> None:
    (file.parent / "url").write_text("postgresql://u:p@h/db\n")
    settings = _load(file, 'ledger = "file:url"')
    assert settings.ledger.get_secret_value() == "postgresql://u:p@h/db"


def test_binance_is_built_in(file: Path) -> None:
    store = _load(file, "").store("binance")
    assert store.url == "https://s3.ap-northeast-1.amazonaws.com"
    assert (store.authentication, store.addressing) == ("anonymous", "path")
    assert (store.region, store.digests) == ("ap-northeast-1", "sidecar")


def test_a_built_in_store_can_be_overridden_field_by_field(file: Path) -> None:
    mirror = '[stores.binance]\nendpoint = "http://mirror"\n'
    store = _load(file, mirror).store("binance")
    assert (store.url, store.authentication) == ("http://mirror", "anonymous")
    keys = 'access_key = "a"\nsecret_key = "b"\n'
    assert _load(file, mirror + keys).store("binance").authentication == "static"


def test_an_amazon_store_is_addressed_virtually_in_its_region(file: Path) -> None:
    store = _load(file, '[stores.x]\nregion = "eu-west-1"').store("x")
    assert store.url == "https://s3.eu-west-1.amazonaws.com"
    assert (store.addressing, store.authentication) == ("virtual", "chain")
    store = _load(file, '[stores.x]\nregion = "cn-north-1"').store("x")
    assert store.url == "https://s3.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize("proxy", ["http://proxy:3128", "https://u:p%20w@proxy/", "http://[::1]:1"])
def test_a_proxy_is_a_url_with_scheme_and_host(file: Path, proxy: str) -> None:
    store = _load(file, f'[stores.lake]\nproxy = "{proxy}"').store("lake")
    assert store.proxy
    assert store.proxy.get_secret_value() == proxy


@pytest.mark.parametrize(
    "proxy",
    [
        "",
        "proxy:3128",
        "socks5://user:hush@proxy:1",
        "http://",
        "http://user:hu sh@proxy",
        "http://user:s3 cr3t/hush@proxy:3128",
        "http://user:hush/pw@proxy",
        "http://user:hush",
        "http://user:hush@proxy:99999",
        "http://user:hush@proxy:port",
        "http://user:hush@proxy?x",
        "http://user:hush@[proxy",
        "http://user:hush\u2100@proxy",
    ],
)
def test_any_other_proxy_is_refused_and_never_repeated(file: Path, proxy: str) -> None:
    said = _refusal(file, f'[stores.lake]\nproxy = "{proxy}"')
    assert "stores.lake.proxy: write http://HOST:PORT" in said
    assert "line 2" in said
    assert not any(word in said for word in ("hush", "hu sh", "s3 cr3t", "socks5"))


@pytest.mark.parametrize("timeout", ["inf", "nan", "1e300", '"99999999999999d"', "0"])
def test_a_timeout_that_no_clock_can_wait_for_is_refused(file: Path, timeout: str) -> None:
    said = _refusal(file, f"[stores.lake]\ntimeouts.total = {timeout}")
    assert "stores.lake.timeouts.total" in said


# --- the default store ---------------------------------------------------------------------------


def test_the_marked_store_is_the_default(file: Path) -> None:
    assert _load(file, "[stores.a]\n[stores.b]\ndefault = true").store("").name == "b"


def test_the_only_store_is_the_default(file: Path) -> None:
    assert _load(file, "[stores.a]\n").store("").name == "a"


def test_without_a_store_amazons_variables_are_the_default(file: Path) -> None:
    environ = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9000"}
    store = _load(file, "", environ).store("")
    assert (store.name, store.region, store.url) == ("aws", "eu-west-1", "http://127.0.0.1:9000")
    assert store.authentication == "chain"


def test_amazons_variables_stand_back_behind_the_file(file: Path) -> None:
    store = _load(file, '[stores.aws]\nregion = "a"', {"AWS_REGION": "b"}).store("aws")
    assert store.region == "a"


def test_several_stores_without_a_default_are_refused(file: Path) -> None:
    with pytest.raises(UnknownStore, match="write default = true in one of: a, b"):
        _load(file, "[stores.a]\n[stores.b]\n").store("")


def test_two_defaults_are_refused(file: Path) -> None:
    text = "[stores.a]\ndefault = true\n[stores.b]\ndefault = true\n"
    assert "only one store can be the default, not a and b" in _refusal(file, text)


def test_an_unknown_store_is_told_from_a_near_one(file: Path) -> None:
    with pytest.raises(UnknownStore, match=r"did you mean lake\? known: aws, binance, lake"):
        _load(file, "[stores.lake]\n").store("lke")
    with pytest.raises(UnknownStore, match=r"\(known: aws, binance\)"):
        _load(file, "").store("qqq")


# --- the environment -----------------------------------------------------------------------------


def test_a_variable_comes_before_the_file(file: Path) -> None:
    environ = {
        "LAKEBED_STORES__MY_LAKE__ENDPOINT": "http://b:1",
        "LAKEBED_STORES__MY_LAKE__TIMEOUTS__STALL": "2m",
        "LAKEBED_STORES__MY_LAKE__DISABLE": "unpack, part_copy",
        "LAKEBED_STORES__MY_LAKE__DEFAULT": "true",
        "LAKEBED_LOG": "error",
        "LAKEBED_CONFIG": "elsewhere",
        "LAKEBED_SOMETHING_ELSE": "1",
    }
    settings = _load(file, '[stores.My-Lake]\nendpoint = "http://a"\nregion = "r"', environ)
    store = settings.store("My-Lake")
    assert (store.url, store.region, store.timeouts.stall) == ("http://b:1", "r", 120)
    assert store.disable == ("unpack", "part_copy")
    assert store.default
    assert settings.log == "error"


def test_a_store_may_come_from_variables_alone(file: Path) -> None:
    settings = _load(file, "", {"LAKEBED_STORES__LAKE__ENDPOINT": "http://a"})
    assert settings.store("").name == "lake"


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("LAKEBED_STORES__LAKE__ENDPIONT", "x", "no such setting, did you mean endpoint?"),
        ("LAKEBED_STORES__LAKE__ENDPOINT", "x", "write http://HOST:PORT or https://HOST"),
        ("LAKEBED_STORES", "x", "Input should be a valid dictionary"),
        ("LAKEBED_STORES__LAKE", "x", "Input should be a valid dictionary"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(
    file: Path, variable: str, value: str, reason: str
) -> None:
    refusal = _refusal(file, "", {variable: value})
    assert refusal.startswith(f"{variable}: {reason}")


def test_amazons_own_wrong_variable_is_no_line_of_the_file(file: Path) -> None:
    refusal = _refusal(file, "[stores.a]\n", {"AWS_ENDPOINT_URL": "nowhere"})
    assert refusal.startswith("configuration: stores.aws.endpoint: write http://")


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a = 1\nb = = 2\n", 2, "Invalid value"),
        ("a = 1\nb = [\n", 2, "Invalid value"),
        ("\n[stores.lake]\nendpiont = 'x'\n", 3, "did you mean endpoint?"),
        ("[stores.lake]\nregion = 'a'\ntimeouts.conect = 3\n", 3, "did you mean connect?"),
        ("[stores.lake]\n\ntimeouts = { connect = 'soon' }\n", 3, "not a duration"),
        ("[stores.lake]\ntimeouts = { connect = 0 }\n", 2, "greater than 0"),
        ("stores = 3\n", 1, "valid dictionary"),
        ("\nstores.lake = 3\n", 2, "valid dictionary"),
        ("stores.aws = 3\n", 1, "valid dictionary"),
        ("qqqqqq = 3\n", 1, "qqqqqq: no such setting"),
        ("[stores.lake]\ndisable = [\n 'a',\n 3]\n", 2, "valid string"),
        ("[stores.lake]\nendpoint = 'https://u:hush@host'\n", 2, "do not belong in the URL"),
        ("[stores.lake]\nendpoint = 'https://host/bucket'\n", 2, "has no path"),
        ("[stores.lake]\nendpoint = 'https://host:port'\n", 2, "Port could not be cast"),
        ("[stores.lake]\naccess_key = 'a'\n", 1, "belong together"),
        ("[stores.lake]\nsession_token = 'hush'\n", 1, "session_token needs"),
        ("[stores.lake]\ncredentials = 'static'\n", 1, "needs access_key"),
        ("[stores.lake]\nanonymous = true\nprofile = 'a'\n", 1, "anonymous contradicts"),
        (
            "[stores.lake]\naccess_key='a'\nsecret_key='hush'\ncredentials='chain'",
            1,
            "contradicts access_key",
        ),
        (
            "[stores.lake]\naccess_key='a'\nsecret_key='hush'\nprofile='p'",
            1,
            "profile contradicts",
        ),
        ("[stores.'a b']\n", 1, "no name for a store"),
        ("[stores.file]\n", 1, "no name for a store"),
        ("[stores.lake]\nsecret_key = 3\n", 2, "valid string"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line_and_the_reason(
    file: Path, text: str, line: int, reason: str
) -> None:
    refusal = _refusal(file, text)
    assert refusal.startswith(f"{file}, line {line}: ")
    assert reason in refusal
    assert "hush" not in refusal


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(file: Path) -> None:
    file.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(ConfigurationError, match=r"line 2: not UTF-8"):
        load(file, {}, file.parent)


@settings(max_examples=30)
@given(
    before=st.lists(st.sampled_from(["", "# note", "[other]", "[stores.x]"]), unique=True),
    noise=st.integers(0, 4),
)
def test_a_key_is_found_wherever_it_is_written(before: list[str], noise: int) -> None:
    lines = [*before, "[stores.lake]", *["# [stores.lake]"] * noise, "region = '''\n", "x'''"]
    text = "\n".join([*lines, "ca = 'x'", ""])
    found = line_of(text, ("stores", "lake", "ca"))
    assert text.splitlines()[found - 1] == "ca = 'x'"
    assert text.splitlines()[line_of(text, ("stores", "lake", "region")) - 1] == "region = '''"


def test_what_is_nowhere_is_said_to_be_at_the_beginning() -> None:
    assert line_of("a = [[1]]\n", ("b",)) == 1
    assert line_of("\na = [[1]]\n", ("a", 0, 0)) == 2


@pytest.mark.parametrize(
    ("text", "bandwidth"),
    [
        ("", None),
        ('bandwidth = "10MiB/s"', 10 * 1024**2),
        ("bandwidth = 20480", 20480),
        ('bandwidth = "off"', None),
    ],
)
def test_the_bandwidth_is_a_size_a_second_or_off(
    file: Path, text: str, bandwidth: int | None
) -> None:
    assert _load(file, text).bandwidth == bandwidth


def test_the_bandwidth_may_come_from_the_environment(file: Path) -> None:
    assert _load(file, "", {"LAKEBED_BANDWIDTH": "1M"}).bandwidth == 1024**2


@pytest.mark.parametrize("text", ['bandwidth = "lots"', "bandwidth = 5", "bandwidth = true"])
def test_a_bandwidth_that_is_none_is_refused(file: Path, text: str) -> None:
    assert "bandwidth" in _refusal(file, text)
