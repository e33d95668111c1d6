"""`[access]`: what is read, and what is refused with its reason."""

from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.settings import Settings, load
from lakebed.settings.access import is_loopback, is_private_to

OIDC = '[access.oidc]\nissuer = "https://login.example.com/"\naudience = "lakebed"\n'


def read(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "lakebed.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ, tmp_path)


def test_by_default_a_token_is_asked_for() -> None:
    access = Settings().access
    assert (access.mode, access.rate, access.burst) == ("token", 1000, 100)


def test_an_issuer_is_described_by_its_claims(tmp_path: Path) -> None:
    text = (
        f'[access]\nmode = "oidc"\n{OIDC}roles.engineers = "workflow_operator"\n'
        'roles.admins = ["storage_admin", "readonly_user"]\n'
        '[access.oidc.grants.engineers]\nread = ["binance:"]\nwrite = "lake:raw/"\n'
    )
    oidc = read(tmp_path, text).access.oidc
    assert oidc is not None
    assert oidc.issuer == "https://login.example.com"
    assert oidc.roles["engineers"] == ("workflow_operator",)
    assert oidc.grants["engineers"].write == ("lake:raw/",)
    assert "HS256" not in oidc.algorithms


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[access]\nmode = "oidc"\n', "needs a table"),
        ('[access]\nmode = "open"\n', "'token', 'none', 'keys' or 'oidc'"),
        ("[access]\nrate = 0\n", "greater than or equal to 1"),
        (OIDC.replace("https", "http"), "http is for loopback only"),
        (OIDC + 'algorithms = ["HS256"]\n', "RS256"),
        (OIDC + 'algorithms = ["none"]\n', "RS256"),
        (OIDC + 'roles.engineers = "emperor"\n', "infrastructure_admin"),
        (OIDC + '[access.oidc.grants.engineers]\nread = ["lake"]\n', "no place"),
        (OIDC + '[access.oidc.grants.engineers]\nread = ["lake:/x"]\n', "no place"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read(tmp_path, text)


def test_hosts_are_read_from_a_variable_too(tmp_path: Path) -> None:
    settings = read(tmp_path, "", LAKEBED_EXECUTOR__HOSTS="Lake.example.com,lake")
    assert settings.executor.hosts == ("lake.example.com", "lake")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "[::1]", "localhost"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)
    assert is_private_to(f"http://{host if ':' not in host else '[::1]'}:8080/x")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.evil.com"])
def test_any_other_name_is_not_this_machine(host: str) -> None:
    assert not is_loopback(host)
    assert not is_private_to(f"http://{host if ':' not in host else '[::]'}/")
