"""A real Keycloak for tests: `python -m tests.access.keycloak` fetches it once, by Maven, into the
user's cache folder."""

import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import platformdirs

VERSION = "26.7.3"
HOME = Path(platformdirs.user_cache_dir("lakebed")) / "tools" / f"keycloak-{VERSION}"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"
ADMIN, PASSWORD = "admin", "only-for-tests"
PATIENCE = 400.0


def why_not() -> str:
    """Why it cannot run here; empty where it can."""
    if shutil.which("java") is None:
        return "there is no Java"
    return "" if HOME.is_dir() else "no Keycloak: python -m tests.access.keycloak"


def fetch() -> str:
    """Unpacked and prepared, or not there at all; one line that says what was done."""
    if HOME.is_dir():
        return f"keycloak {VERSION} is there: {HOME}"
    if shutil.which("mvn") is None or shutil.which("java") is None:
        return "keycloak: skipped, there is no Maven or no Java"
    HOME.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME.parent, prefix="fetching-") as folder:
        maven = ["mvn", "-q", "-B", PLUGIN, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]
        subprocess.run(maven, check=True)
        archive = Path(folder) / f"keycloak-quarkus-dist-{VERSION}.tar.gz"
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        unpacked = Path(folder) / f"keycloak-{VERSION}"
        subprocess.run([unpacked / "bin" / "kc.sh", "build", "--db=dev-mem"], check=True)
        os.replace(unpacked, HOME)
    return f"keycloak {VERSION} is fetched: {HOME}"


@dataclass(frozen=True)
class Keycloak:
    """It answers at `url`; `admin` has the right to change it."""

    url: str
    admin: httpx2.Client

    def make_realm(self, realm: dict[str, object]) -> str:
        """The issuer that it is."""
        answer = self.admin.post("/admin/realms", json=realm)
        assert answer.is_success, answer.text
        return f"{self.url}/realms/{realm['realm']}"


@contextmanager
def serving(log: Path) -> Iterator[Keycloak]:
    """Empty, in memory, while the scope lasts."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [
        *(str(HOME / "bin" / "kc.sh"), "start", "--optimized"),
        *("--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}"),
        f"--hostname={url}",
        "--cache=local",
    ]
    environ = {
        **os.environ,
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx384m",
    }
    with (
        open(log, "wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=environ) as process,
        httpx2.Client(base_url=url, trust_env=False, timeout=30.0) as admin,
    ):
        try:
            _wait(process, admin, log)
            yield Keycloak(url, admin)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait(process: "subprocess.Popen[bytes]", admin: httpx2.Client, log: Path) -> None:
    """Until it gives its administrator a token."""
    form = {"client_id": "admin-cli", "grant_type": "password"}
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and process.poll() is None:
        with suppress(httpx2.TransportError):
            answer = admin.post(
                "/realms/master/protocol/openid-connect/token",
                data={**form, "username": ADMIN, "password": PASSWORD},
            )
            if answer.is_success:
                admin.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.25)  # one that ends is not waited for
    raise AssertionError(f"Keycloak does not answer: {log.read_text()[-2000:]}")


if __name__ == "__main__":
    print(fetch())
