"""The law of merging: tables grow into one another, what is later wins, variables win above all."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lakebed.settings.file import parsed
from lakebed.settings.layers import Layers
from lakebed.settings.locate import Place
from lakebed.settings.merge import Table, merged

VALUES = st.sampled_from([1, 2, "text", [], [1], [2]])


def tables(depth: int) -> st.SearchStrategy[Table]:
    """A key is a table everywhere or nowhere, as in any schema."""
    own = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=2)
    if not depth:
        return own
    inner = st.dictionaries(st.sampled_from("xy"), tables(depth - 1), max_size=2)
    return st.builds(lambda values, inner: {**values, **inner}, own, inner)


TABLES = tables(2)


def values(table: Table, place: Place = ()) -> dict[Place, object]:
    found: dict[Place, object] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= values(value, (*place, key))
        else:
            found[(*place, key)] = value
    return found


@given(TABLES, TABLES)
def test_every_value_of_the_upper_stands_and_of_the_lower_what_the_upper_leaves(
    lower: Table, upper: Table
) -> None:
    assert values(merged(lower, upper)) == values(lower) | values(upper)


@given(TABLES, TABLES, TABLES)
def test_merging_is_associative(one: Table, two: Table, three: Table) -> None:
    assert merged(merged(one, two), three) == merged(one, merged(two, three))


@given(TABLES)
def test_nothing_changes_nothing_and_neither_does_the_same(table: Table) -> None:
    assert merged({}, table) == merged(table, {}) == merged(table, table) == table


@given(TABLES, TABLES)
def test_what_is_merged_is_left_as_it_was(lower: Table, upper: Table) -> None:
    before = repr((lower, upper))
    merged(lower, upper)
    assert repr((lower, upper)) == before


RUNNING = st.none() | st.integers(1, 256)


@given(RUNNING, RUNNING, RUNNING)
def test_the_last_layer_that_says_something_has_its_way(
    base: int | None, environment: int | None, variable: int | None
) -> None:
    files = tuple(
        parsed(Path(f"/x/{name}"), f"[executor]\nrunning = {said}\n" if said else "[executor]\n")
        for name, said in (("lakebed.toml", base), ("lakebed.staging.toml", environment))
    )
    environ = {"LAKEBED_EXECUTOR__RUNNING": str(variable)} if variable else {}
    found = Layers(files, environ, "staging")
    assert found.written().executor.running == (variable or environment or base or 4)
    expected: tuple[str, int | None] = ("", None)
    places: list[tuple[int | None, tuple[str, int | None]]] = [
        (base, ("/x/lakebed.toml", 2)),
        (environment, ("/x/lakebed.staging.toml", 2)),
        (variable, ("LAKEBED_EXECUTOR__RUNNING", None)),
    ]
    for said, place in places:
        if said:
            expected = place
    assert found.origin(("executor", "running")) == expected
