"""The engines: where their programs are, and how they are started."""

import json
import stat
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.local import engines
from lakebed.local.address import Address
from lakebed.local.engines import minio
from lakebed.local.engines.engine import Engine, Site
from lakebed.local.engines.minio import Minio
from lakebed.local.engines.seaweedfs import Seaweedfs
from lakebed.store.s3.credentials import Credentials
from tests.local.servers import Scripted

PROGRAM = Path("/opt/server")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "private").mkdir()
    credentials = Credentials("the-access-key", "the-secret-key")
    address = Address("0.0.0.0", 9000)
    return Site(tmp_path / "data", tmp_path / "private", address, credentials)


@pytest.mark.parametrize("engine", engines.ENGINES, ids=engines.NAMES)
def test_no_secret_is_in_the_command_line_or_in_a_repr(engine: Engine, site: Site) -> None:
    launch = engine.launch(PROGRAM, site)
    assert launch.argv[0] == str(PROGRAM)
    for text in (*launch.argv, repr(launch), repr(site)):
        assert "the-secret-key" not in text
        assert "the-access-key" not in " ".join(launch.argv)


def test_minio_gets_its_identity_by_environment_and_calls_nobody(site: Site) -> None:
    launch = Minio().launch(PROGRAM, site)
    assert launch.environment["MINIO_ROOT_USER"] == "the-access-key"
    assert launch.environment["MINIO_ROOT_PASSWORD"] == "the-secret-key"
    assert {launch.environment[f"MINIO_{name}"] for name in ("BROWSER", "UPDATE")} == {"off"}
    assert "--address=0.0.0.0:9000" in launch.argv
    assert Minio().launch(PROGRAM, site) == launch


def test_seaweedfs_gets_its_identity_in_a_private_file(site: Site) -> None:
    Seaweedfs().launch(PROGRAM, site)
    launch = Seaweedfs().launch(PROGRAM, site)
    (option,) = (text for text in launch.argv if text.startswith("-s3.config="))
    path = Path(option.partition("=")[2])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (identity,) = json.loads(path.read_text())["identities"]
    assert identity["credentials"] == [
        {"accessKey": "the-access-key", "secretKey": "the-secret-key"}
    ]


def test_only_the_gateway_of_seaweedfs_leaves_loopback_and_no_port_is_used_twice(
    site: Site,
) -> None:
    argv = Seaweedfs().launch(PROGRAM, site).argv
    options = dict(text[1:].split("=", 1) for text in argv if "=" in text)
    assert (options["ip"], options["ip.bind"]) == ("127.0.0.1", "127.0.0.1")
    assert (options["s3.ip.bind"], options["s3.port"]) == ("0.0.0.0", "9000")
    ports = [value for name, value in options.items() if ".port" in name and value != "0"]
    assert len(ports) == len(set(ports)) == 8
    assert options["master.telemetry"] == "false"
    assert options["s3.autoCreateBucket"] == "false"


def test_the_keys_between_the_parts_of_seaweedfs_are_new_at_each_start(site: Site) -> None:
    first, second = (Seaweedfs().launch(PROGRAM, site).environment for _ in range(2))
    assert first.keys() == second.keys()
    assert len({*first.values(), *second.values()}) == 8


def test_the_minio_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "minio"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Minio().binary() == program


def test_the_minio_of_the_cache_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    assert Minio().binary() is None
    cached = minio.cached_binary()
    assert cached == tmp_path / "lakebed" / "tools" / f"minio-{minio.VERSION}" / "minio"
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert Minio().binary() == cached


def test_seaweedfs_is_where_its_wheel_puts_it_or_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / name))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert Seaweedfs().binary() is None
    for folder in ("path", "scripts"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "weed").touch(mode=0o755)
        assert Seaweedfs().binary() == tmp_path / folder / "weed"


def test_the_first_engine_that_is_present_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    absent, second, third = (
        Scripted(name="minio", present=False),
        Scripted(name="seaweedfs"),
        Scripted(name="third"),
    )
    monkeypatch.setattr(engines, "ENGINES", (absent, second, third))
    assert engines.choose(None) is second
    assert engines.choose("seaweedfs") is second


def test_an_engine_that_is_absent_or_unknown_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "ENGINES", (Scripted(name="minio", present=False),))
    with pytest.raises(ConfigurationError, match=r"no minio binary .*make tools"):
        engines.choose("minio")
    with pytest.raises(ConfigurationError, match="no object store binary"):
        engines.choose(None)
    with pytest.raises(ConfigurationError, match=r"ceph: no such engine .one of minio"):
        engines.choose("ceph")
