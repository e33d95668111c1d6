"""Whatever the README shows can be typed."""

import ast
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.core import TyperGroup
from typer.main import get_command

import lakebed
from lakebed.cli.app import build
from lakebed.errors import EXIT_MEANING
from lakebed.model.location import Location
from lakebed.model.operation import Summary
from lakebed.settings import Settings, load
from tests.docs.pages import DOCS, README, ROOT, blocks, text_of


def _typed() -> list[str]:
    """The commands behind a prompt."""
    lines = "".join(blocks(README, "console")).splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


COMMANDS = [line for line in _typed() if line.startswith("lakebed ")]


def _parsed(arguments: list[str]) -> dict[str, object]:
    """The parameters of the command that `arguments` lead to; raises where none takes them."""
    command, name, context = get_command(build()), "lakebed", None
    while True:
        context = command.make_context(name, arguments, parent=context)
        if not isinstance(command, TyperGroup):
            return context.params
        rest = [*context._protected_args, *context.args]
        _, found, arguments = command.resolve_command(context, rest)
        assert found is not None
        command, name = found, found.name or ""


def _settings(tmp_path: Path) -> Settings:
    (text,) = blocks(README, "toml")
    (tmp_path / "lakebed.toml").write_text(text, encoding="utf-8")
    return load(tmp_path / "lakebed.toml", {}, tmp_path)


def test_the_configuration_is_one(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert settings.store("").name == "lake"
    assert settings.store("vault").authentication == "chain"


def test_the_configuration_is_short() -> None:
    (text,) = blocks(README, "toml")
    assert len(text.splitlines()) <= 10


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_parses(command: str, tmp_path: Path) -> None:
    parameters = _parsed(shlex.split(command)[1:])
    settings = _settings(tmp_path)
    for name in ("source", "destination"):
        if name in parameters:
            location = Location.parse(str(parameters[name]))
            assert settings.store(location.store).name == location.store


def test_the_main_commands_are_shown() -> None:
    assert {"sync", "plan", "verify", "resume"} <= {line.split()[1] for line in COMMANDS}


def test_each_target_of_make_is_there() -> None:
    makefile = text_of(ROOT / "Makefile")
    named = {*re.findall(r"`make ([a-z]+)`", text_of(README))}
    named |= {line.split()[1] for line in _typed() if line.startswith("make ")}
    assert {"demo", "test", "setup"} <= named
    for target in named:
        assert re.search(rf"^{target}:.*##", makefile, re.MULTILINE), target


def test_the_exit_codes_are_those_of_the_code() -> None:
    shown = re.findall(r"^\| `(\d+)` \| (.+) \|$", text_of(README), re.MULTILINE)
    assert shown == [(str(code.value), meaning) for code, meaning in EXIT_MEANING.items()]


def test_the_library_has_what_is_shown_of_it() -> None:
    (text,) = blocks(README, "python")
    used = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)]
    owned = [(node.value.id, node.attr) for node in used if isinstance(node.value, ast.Name)]
    assert {name for owner, name in owned if owner == "lakebed"} <= set(lakebed.__all__)
    summary = {name for owner, name in owned if owner == "summary"}
    assert summary
    assert summary <= Summary.__dataclass_fields__.keys()


def test_the_words_of_the_library_are_named() -> None:
    sentence = text_of(README).partition("The words are those of the command line: ")[2]
    named = re.findall(r"`(\w+)`", sentence.partition(".")[0])
    assert sorted(named) == [name for name in lakebed.__all__ if name.islower()]


def test_the_picture_is_of_a_run_and_fetches_nothing() -> None:
    drawing = text_of(DOCS / "run.svg")
    shown = " ".join("".join(ElementTree.fromstring(drawing).itertext()).split())
    assert "$ lakebed sync origin:archive/ lake:bronze/binance/" in shown
    assert "publisher-sha256" in shown
    assert "url(http" not in drawing
