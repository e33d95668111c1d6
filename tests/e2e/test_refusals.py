"""Each failure: one clear line that says what to change, its exit code, and no trace."""

import contextlib
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakebed.errors import Exit
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.gateway import Gateway, answer, refusal
from tests.e2e.process import COMMAND, PATIENCE, Ended, Lakebed
from tests.fixtures_stores import Served


def refused(ended: Ended, code: Exit, *words: str) -> None:
    assert ended.code == code, ended
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.complaint, ended.complaint


@dataclass(frozen=True, slots=True)
class Mistake:
    arguments: str
    words: tuple[str, ...]
    code: Exit = Exit.USAGE


MISTAKES = {
    "an unknown store": Mistake("sync her:{source} there:{destination}", ("did you mean here?",)),
    "no location": Mistake("sync here: there:{destination}", ("here:", "names no bucket")),
    "a path that may be a store": Mistake("sync folder there:{destination}", ("./folder/",)),
    "a folder that is not there": Mistake(
        "sync ./typo/ there:{destination}", ("/typo: there is no such folder",), Exit.STORE
    ),
    "a folder into a file": Mistake(
        "sync here:{source} ./copy", ("a folder's location ends in /", "/copy/")
    ),
    "a folder into itself": Mistake("sync ./a/ ./a/b/", ("one is inside the other",)),
    "a missing source": Mistake(
        "sync here:{source}-not there:{destination}",
        ("here:{source}-not", "create the bucket, or correct its name"),
        Exit.STORE,
    ),
    "a missing destination": Mistake(
        "sync here:{source} there:{destination}-not",
        ("there:{destination}-not", "create the bucket, or correct its name"),
        Exit.STORE,
    ),
    "a plan to a missing destination": Mistake(
        "plan here:{source} there:{destination}-not", ("there:{destination}-not",), Exit.STORE
    ),
    "a listing of nothing": Mistake("ls here:{source}-not", ("here:{source}-not",), Exit.STORE),
    "a bad pattern": Mistake("sync here:{source} there:{destination} --include [a", ("'[a'",)),
    "a bad pattern in a plan": Mistake(
        "plan here:{source} there:{destination} --exclude {{a", ("'{{a'",)
    ),
    "a bad size": Mistake("sync here:{source} there:{destination} --min-size huge", ("5GiB",)),
    "a bad time": Mistake("sync here:{source} there:{destination} --newer soon", ("7d",)),
    "a missing list": Mistake(
        "sync here:{source} there:{destination} --files-from none", ("--files-from none",)
    ),
    "an unknown option": Mistake("sync here:{source} there:{destination} --inlude a", ("--help",)),
    "an unknown command": Mistake("snyc here:{source}", ("Did you mean 'sync'",)),
    "a missing argument": Mistake("sync here:{source}", ("DESTINATION",)),
    "an unknown operation": Mistake("resume 7", ("no such operation", "`lakebed operations`")),
    "a missing configuration": Mistake("stores --config none.toml", ("none.toml", "--config")),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_one_line_that_says_what_to_change(
    lakebed: Lakebed, source: Bucket, destination: Bucket, mistake: Mistake
) -> None:
    names = {"source": source.name, "destination": destination.name}

    ended = lakebed(*mistake.arguments.format(**names).split())

    refused(ended, mistake.code, *(word.format(**names) for word in mistake.words))


def test_what_could_not_begin_leaves_no_operation(lakebed: Lakebed, source: Bucket) -> None:
    for arguments in ("here:{} nowhere:b", "here:{} there:b --include ["):
        lakebed("sync", *arguments.format(source.name).split())

    assert lakebed("operations", "--json").out == ""


REFUSED = {
    "wrong secret": ({"secret_key": "not-the-secret-of-it"}, ("secret_key",)),
    "wrong access key": ({"access_key": "NOBODYHASTHISKEY"}, ("access_key",)),
    "an unknown host": ({"endpoint": "http://no-such-host.invalid"}, ("no-such-host", "endpoint")),
    "an unreadable secret": ({"secret_key": "file:/no/such/file"}, ("secret_key", "/no/such/file")),
    "an unset variable": ({"secret_key": "env:NOT_SET"}, ("export NOT_SET",)),
    "a wrong setting": ({"addressing": "none"}, ("LAKEBED_STORES__HERE__ADDRESSING", "'path'")),
}


@pytest.mark.parametrize(("fields", "words"), REFUSED.values(), ids=list(REFUSED))
@pytest.mark.parametrize("side", ["here", "there"])
def test_a_wrong_setting_of_a_store_is_one_line_that_says_what_to_change(
    lakebed: Lakebed,
    source: Bucket,
    destination: Bucket,
    side: str,
    fields: dict[str, str],
    words: tuple[str, ...],
) -> None:
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--retries", "0")
    configuration = any(value.startswith(("file:", "env:", "none")) for value in fields.values())
    code = Exit.USAGE if configuration else Exit.STORE

    ended = lakebed.store(side, **fields)(*arguments)

    refused(ended, code, *(word.replace("HERE", side.upper()) for word in words))
    if "secret_key" in fields:
        assert "not-the-secret-of-it" not in ended.err + ended.out


@pytest.mark.parametrize("side", ["here", "there"])
def test_a_refused_connection_says_which_endpoint(
    lakebed: Lakebed, source: Bucket, destination: Bucket, side: str
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets this port
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        ended = lakebed.store(side, endpoint=endpoint)(
            "sync", f"here:{source.name}", f"there:{destination.name}", "--retries", "1"
        )

    refused(ended, Exit.STORE, endpoint, "is the store running", "`endpoint`")
    assert "lakebed resume" in ended.out


ANSWERS = {
    "clock skew": (refusal("403 Forbidden", "RequestTimeTooSkewed"), "clock"),
    "a web page": (answer("200 OK", "<html><p>Welcome</html>"), "`endpoint`"),
    "an empty answer": (answer("200 OK", ""), "`endpoint`"),
    "access denied": (refusal("403 Forbidden", "AccessDenied"), "permission"),
    "an expired token": (refusal("400 Bad Request", "ExpiredToken"), "session_token"),
    "another region": (
        refusal("301 Moved", "PermanentRedirect", "x-amz-bucket-region: eu-central-1"),
        'region = "eu-central-1"',
    ),
    "a fault": (refusal("500 Internal Server Error", "InternalError"), "500 InternalError"),
}


@pytest.mark.parametrize("command", ["sync", "plan"])
@pytest.mark.parametrize(("told", "word"), ANSWERS.values(), ids=list(ANSWERS))
def test_a_listing_that_is_refused_says_what_to_change_and_deletes_nothing(
    lakebed: Lakebed, source: Bucket, destination: Bucket, told: bytes, word: str, command: str
) -> None:
    destination.put("kept", b"kept")
    with Gateway(choose=lambda asked: told) as gateway:
        ended = lakebed.store("here", endpoint=gateway.endpoint)(
            command,
            f"here:{source.name}",
            f"there:{destination.name}",
            *("--delete", "--retries", "0"),
        )

    refused(ended, Exit.STORE, word, "here")
    assert destination.keys() == ["kept"]


def test_tls_to_a_store_that_speaks_none_says_which_endpoint(
    lakebed: Lakebed, served: Served, source: Bucket
) -> None:
    secure = served.endpoint.replace("http:", "https:")
    ended = lakebed.store("here", endpoint=secure)("ls", f"here:{source.name}")
    refused(ended, Exit.STORE, secure, "`endpoint`")


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed one, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    asked = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    made = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *asked.split(), *made], check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize("trusted", [False, True])
def test_a_self_signed_server_is_refused_until_ca_trusts_it(
    lakebed: Lakebed, tmp_path: Path, trusted: bool
) -> None:
    certificate, key = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if trusted:
        lakebed = lakebed.store("here", ca=str(certificate))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        greeter = threading.Thread(target=_greet, args=(listener, context))
        greeter.start()
        endpoint = f"https://127.0.0.1:{listener.getsockname()[1]}"
        ended = lakebed.store("here", endpoint=endpoint)("ls", "here:bucket")
        greeter.join(PATIENCE)

    if trusted:
        refused(ended, Exit.STORE, "clock")
    else:
        refused(ended, Exit.STORE, endpoint, "TLS", "`ca`")


def _greet(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Answer one request of a client that trusts us; one that does not just leaves."""
    client, _ = listener.accept()
    told = refusal("403 Forbidden", "RequestTimeTooSkewed", "Connection: close")
    with (
        client,
        contextlib.suppress(OSError),
        context.wrap_socket(client, server_side=True) as greeted,
    ):
        greeted.recv(64 * 1024)
        greeted.sendall(told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[stores.here]\nendpoint = 7\n", ("line 2", "endpoint")),
        ("[stores.here]\n\nregoin = 'x'\n", ("line 3", "did you mean region?")),
        ("[stores.here\n", ("line 1",)),
        ("[stores.here]\nendpoint = 'ftp://a'\n", ("line 2", "write http://HOST:PORT")),
    ],
)
def test_a_wrong_configuration_is_refused_with_its_line_and_the_reason(
    lakebed: Lakebed, text: str, words: tuple[str, ...]
) -> None:
    (lakebed.folder / "lakebed.toml").write_text(text)

    refused(lakebed("stores"), Exit.USAGE, "lakebed.toml", *words)


def test_a_configuration_where_others_can_write_is_passed_over_with_a_warning(
    lakebed: Lakebed,
) -> None:
    lakebed.folder.chmod(0o777)

    ended = lakebed("ls", "here:bucket")

    refused(ended, Exit.USAGE, "here: no store of this name is configured")
    [warning] = [line for line in ended.err.splitlines() if line.startswith("warning: ")]
    assert "lakebed.toml is not read: others can write here" in warning
    assert "here" in lakebed("stores", "--config", "lakebed.toml").out


def test_a_ledger_that_cannot_be_written_is_named(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    (lakebed.folder / "file").write_text("")
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}")

    for variables in ({"LAKEBED_STATE": "file/state"}, {"LAKEBED_LEDGER": "sqlite:////proc/none"}):
        ended = lakebed.but(**variables)(*arguments)
        refused(ended, Exit.USAGE, "ledger", next(iter(variables.values()))[-5:])
    assert destination.keys() == []


def test_a_ledger_of_a_newer_lakebed_is_left_alone(lakebed: Lakebed) -> None:
    assert lakebed("operations").code == Exit.COMPLETED
    ledger = lakebed.folder / "state/lakebed/ledger.sqlite"
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("update alembic_version set version_num = '9999'")

    refused(lakebed("operations"), Exit.USAGE, "newer Lakebed", "upgrade Lakebed")


def test_a_file_that_is_no_ledger_is_named(lakebed: Lakebed) -> None:
    ledger = lakebed.folder / "state/lakebed/ledger.sqlite"
    ledger.parent.mkdir(parents=True)
    ledger.write_text("no database" * 100)

    refused(lakebed("operations"), Exit.USAGE, str(ledger))


@pytest.mark.parametrize("command", ["ls here:{}", "plan here:{} there:{}/copy/"])
def test_a_reader_that_leaves_ends_a_listing_quietly(
    lakebed: Lakebed, source: Bucket, command: str
) -> None:
    source.fill({f"{number:04}": b"" for number in range(1200)})
    with subprocess.Popen(
        [COMMAND, *command.format(source.name, source.name).split()],
        cwd=lakebed.folder,
        env=lakebed.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "0000" in process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

    assert (process.returncode, err) == (Exit.COMPLETED, "")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounts need root")
def test_a_full_disk_fails_the_object_and_says_which_folder(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.put("large", bytes(4 * 1024**2))
    source.put("small", b"small")
    disk = lakebed.folder / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=1m none "$1" || exit 99; shift; exec "$@"'
    locations = (f"here:{source.name}", f"there:{destination.name}")
    command = [COMMAND, "sync", *locations, "--mode", "traditional", "--concurrency", "1"]
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(disk), *command],
        cwd=lakebed.folder,
        env={**lakebed.environment, "TMPDIR": str(disk)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if ended.returncode == 99:
        pytest.skip("this machine does not let us mount")

    assert ended.returncode == Exit.FAILED_OBJECTS, ended
    assert "no room for 4194304 bytes" in ended.stdout
    assert "TMPDIR" in ended.stdout
    assert "Traceback" not in ended.stderr
    assert destination.keys() == ["small"]


def test_only_debug_shows_the_trace(lakebed: Lakebed, source: Bucket) -> None:
    source.fill(pairs(1))
    for arguments in (["ls", f"here:{source.name}-not"], ["ls", "nowhere:bucket"]):
        ended = lakebed(*arguments, "--debug")
        assert "Traceback" in ended.err
        assert ended.complaint.startswith("lakebed: ")
        assert "Traceback" not in lakebed(*arguments).err
