"""The page of the configuration has every key, and what it shows is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard, get_args, get_origin

import pytest
from pydantic import BaseModel

from lakebed.settings import Settings, StoreSettings, load
from lakebed.settings.environment import path_of
from lakebed.settings.root import BUILT_IN
from tests.docs.pages import DOCS, blocks, text_of, words

PAGE = DOCS / "configuration.md"


def _keys(model: type[BaseModel], table: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = [one for one in (field.annotation, *get_args(field.annotation)) if _is_table(one)]
        if inner and get_origin(field.annotation) is not dict:
            yield from _keys(inner[0], f"{table}{name}.")
        else:
            yield table + name


def _is_table(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


KEYS = {*_keys(Settings), *_keys(StoreSettings)} - {"stores", "name"}
VARIABLES = [word for word in sorted(words(PAGE)) if word.startswith("LAKEBED_") and "=" in word]


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_has_its_row(key: str) -> None:
    assert f"\n| `{key}` | " in text_of(PAGE)


@pytest.mark.parametrize("store", BUILT_IN)
def test_each_built_in_store_has_its_row(store: str) -> None:
    assert f"\n| `{store}` | " in text_of(PAGE)


@pytest.mark.parametrize("text", blocks(PAGE, "toml"))
def test_what_is_shown_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "lakebed.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "lakebed.toml", {}, tmp_path)


def test_the_variables_shown_are_read(tmp_path: Path) -> None:
    (tmp_path / "lakebed.toml").write_text("[stores.My-Lake]\n", encoding="utf-8")
    environ = dict(variable.split("=", 1) for variable in VARIABLES)
    assert {path_of(name)[0] for name in environ} == {"log", "observe", "stores"}
    settings = load(tmp_path / "lakebed.toml", environ, tmp_path)
    assert settings.store("My-Lake").disable == ("unpack", "tags")
    assert settings.store("lake").timeouts.stall == 120
