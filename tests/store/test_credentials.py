"""Where requests get their credentials from."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from lakebed.errors import ConfigurationError, CredentialsRefused
from lakebed.settings import StoreSettings
from lakebed.store.s3.credentials import Credentials, credential_source


@pytest.fixture(autouse=True)
def _no_credentials_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_an_anonymous_store_has_none() -> None:
    assert credential_source(StoreSettings(anonymous=True))() is None


def test_static_keys_are_read_when_first_asked_and_once() -> None:
    settings = StoreSettings(
        access_key=SecretStr("env:KEY"),
        secret_key=SecretStr("secret"),
        session_token=SecretStr("token"),
    )
    environ: dict[str, str] = {}
    source = credential_source(settings, environ)
    environ["KEY"] = "key"
    assert source() == Credentials("key", "secret", "token")
    environ.clear()
    assert source() == Credentials("key", "secret", "token")


def test_a_missing_static_key_names_its_setting() -> None:
    settings = StoreSettings(
        name="lake", access_key=SecretStr("env:KEY"), secret_key=SecretStr("secret")
    )
    with pytest.raises(ConfigurationError, match=r"^stores\.lake\.access_key: "):
        credential_source(settings, {})()


def test_secrets_are_not_in_a_repr() -> None:
    assert "hush" not in repr(Credentials("key", "hush", "hush"))


def test_the_chain_finds_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    source = credential_source(StoreSettings(credentials="chain"))
    assert source() == Credentials("key", "secret", "token")
    assert source() == source()


def test_the_chain_finds_a_profile(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        "[lake]\naws_access_key_id = key\naws_secret_access_key = secret\n"
    )
    source = credential_source(StoreSettings(profile="lake"))
    assert source() == Credentials("key", "secret", None)


def test_an_unknown_profile_is_a_wrong_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"stores\.lake: no profile 'absent'"):
        credential_source(StoreSettings(name="lake", profile="absent"))()
    monkeypatch.setenv("AWS_PROFILE", "gone")
    with pytest.raises(ConfigurationError, match="no profile 'gone'"):
        credential_source(StoreSettings(name="lake"))()


def test_an_empty_chain_says_what_can_be_set() -> None:
    with pytest.raises(CredentialsRefused, match=r"stores\.lake: no credentials .*AWS_ACCESS_KEY"):
        credential_source(StoreSettings(name="lake"))()


class _Sts(BaseHTTPRequestHandler):
    """Gives a role to whoever shows the token `good`."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        good = "WebIdentityToken=good" in body
        answer = _ROLE if good else _NO_ROLE
        self.send_response(200 if good else 400)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


_ROLE = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>role-key</AccessKeyId>
<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""
_NO_ROLE = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>InvalidIdentityToken</Code><Message>no</Message></Error></ErrorResponse>"""


@pytest.fixture
def web_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    server = HTTPServer(("127.0.0.1", 0), _Sts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    token = tmp_path / "token"
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/lake")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
    yield token
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_chain_asks_sts_with_a_web_identity(web_identity: Path) -> None:
    web_identity.write_text("good")
    source = credential_source(StoreSettings(name="lake"))
    assert source() == Credentials("role-key", "role-secret", "role-token")


def test_a_refused_web_identity_says_why(web_identity: Path) -> None:
    web_identity.write_text("refused")
    with pytest.raises(CredentialsRefused, match=r"stores\.lake: .*InvalidIdentityToken"):
        credential_source(StoreSettings(name="lake"))()
