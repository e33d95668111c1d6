"""`/api/v1/configuration`: what is told of it, to whom, and what is proposed."""

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

from lakebed.access.caller import Caller
from lakebed.access.permission import Role
from lakebed.executor.app import build
from lakebed.executor.callers import caller_of
from lakebed.executor.service import Service
from lakebed.settings import Settings
from lakebed.settings.access import AccessSettings
from lakebed.settings.layers import Sources

PATH = "/api/v1/configuration"
BASE = """state = "state"
[stores.lake]
access_key = "env:AK"
secret_key = "env:SK"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lakebed.toml"
    path.write_text(BASE)
    return path


@pytest.fixture
def client(file: Path) -> Iterator[TestClient]:
    environ = {"LAKEBED_STORES__LAKE__SESSION_TOKEN": "hush", "LAKEBED_ACCESS__MODE": "none"}
    sources = Sources(file, environ, file.parent)
    service = Service.open(sources.read().settings())
    with service.platform:
        yield TestClient(build(service, sources))


def test_the_configuration_in_force_is_told_without_its_secrets(
    client: TestClient, file: Path
) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200
    told = answer.json()
    values = {value["key"]: (value["value"], value["source"]) for value in told["values"]}
    assert values["stores.lake.secret_key"] == ("env:SK", f"{file}:4")
    assert values["stores.lake.session_token"] == ("***", "LAKEBED_STORES__LAKE__SESSION_TOKEN")
    assert (told["version"], told["environment"], told["files"]) == (1, "", [str(file)])
    assert (told["refused"], told["restart"], told["unrecorded"]) == (None, [], None)
    assert "hush" not in answer.text


def test_the_schema_and_the_history_are_served(client: TestClient) -> None:
    jsonschema_rs.meta.validate(client.get(f"{PATH}/schema").json())
    (version,) = client.get(f"{PATH}/history").json()["versions"]
    assert (version["version"], version["files"]) == (1, ["lakebed.toml"])
    assert version["sha256"] == client.get(PATH).json()["sha256"]
    assert client.get(f"{PATH}/history", params={"before": 1}).json() == {
        "versions": [],
        "next": None,
    }


def verdict(client: TestClient, text: str, **more: str) -> tuple[bool, list[tuple[str, int]]]:
    answer = client.post(f"{PATH}/check", json={"text": text, **more})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told["valid"], [(one["key"], one["line"]) for one in told["findings"]]


def test_a_proposal_is_checked_and_nothing_of_it_is_written(client: TestClient, file: Path) -> None:
    assert verdict(client, BASE) == (True, [])
    assert verdict(client, BASE + "region = ''\n") == (False, [("stores.lake.region", 5)])
    assert verdict(client, "x = ") == (False, [("", 1)])
    assert file.read_text() == BASE
    assert client.get(PATH).json()["version"] == 1


def test_a_proposal_may_be_of_two_files(client: TestClient) -> None:
    upper = {"environment": "staging", "environment_text": "[stores.lake]\nregion = ''\n"}
    assert verdict(client, BASE, **upper) == (False, [("stores.lake.region", 2)])


def test_a_secret_in_a_proposal_is_found_and_not_repeated(client: TestClient) -> None:
    text = BASE.replace("env:SK", "psst")
    assert verdict(client, text) == (True, [("stores.lake.secret_key", 4)])
    body = {"text": text, "environment": "production"}
    answer = client.post(f"{PATH}/check", json=body)
    assert answer.json()["valid"] is False
    assert "psst" not in answer.text


def test_no_reference_of_a_proposal_is_followed(client: TestClient, tmp_path: Path) -> None:
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.write_text("a secret")
    texts = [BASE.replace("env:SK", f"file:{path}") for path in (there, gone)]
    assert [verdict(client, text) for text in texts] == [(True, [])] * 2


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x" * 70_000},
        {"text": "", "environment": "../x"},
        {"text": "", "other": 1},
        {"text": "\ud800"},
        {},
    ],
)
def test_a_proposal_out_of_bounds_is_refused(client: TestClient, body: dict[str, object]) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post(f"{PATH}/check", content=json.dumps(body), headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "text", ["a" + ".a" * 20_000 + " = 1", "a = " + "[" * 60_000, "\0", "x = 1\n" * 10_000]
)
def test_a_hostile_proposal_has_one_finding(client: TestClient, text: str) -> None:
    valid, findings = verdict(client, text)
    assert (valid, len(findings)) == (False, 1)


def test_findings_are_not_without_end(client: TestClient) -> None:
    text = "".join(f"x{number} = 1\n" for number in range(3000))
    assert len(verdict(client, text)[1]) == 100


@pytest.mark.parametrize("path", ["", "/schema", "/history", "/check"])
@pytest.mark.parametrize("role", [Role.READONLY_USER, Role.WORKFLOW_OPERATOR, Role.STORAGE_ADMIN])
def test_others_than_administrators_are_told_nothing(
    client: TestClient, path: str, role: Role
) -> None:
    app = client.app
    overrides = getattr(app, "dependency_overrides")  # noqa: B009
    overrides[caller_of] = lambda: Caller("key:1", "someone", frozenset({role}), ())
    answer = (
        client.post(PATH + path, json={"text": ""}) if path == "/check" else client.get(PATH + path)
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_service_without_files_tells_its_defaults(tmp_path: Path) -> None:
    service = Service.open(Settings(state=tmp_path, access=AccessSettings(mode="none")))
    with service.platform:
        told = TestClient(build(service)).get(PATH).json()
    assert (told["version"], told["files"]) == (None, [])
    assert len(told["sha256"]) == 64
