"""Lines of values, against the parser asked of longer and longer beginnings of the text."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from lakebed.settings.locate import Place, holds, lines_of, with_comments

NAMES = st.sampled_from(["a", "b", "'c.d'", '"e f"', "a.b", "b.'x.y'.c"])
VALUES = st.sampled_from(
    [
        "1",
        "'#'",
        '"\\"#"',
        "'''\n# no comment\n'''",
        '"""\n[no]\n\\"""" # one"""""',
        "[1, [2, 3]]",
        "[ # note ]\n  'a',\n  ']',\n]",
        "{ x = 1, y.z = [] }",
        "1 # a = 2",
    ]
)
LINES = st.one_of(
    st.builds("{} = {}".format, NAMES, VALUES),
    st.builds("  [{}]".format, NAMES),
    st.builds("[[{}]] # more".format, NAMES),
    st.sampled_from(["", "# a = 'x", "\t"]),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """TOML of many forms: of the lines drawn, those that the ones before let stand."""
    text = ""
    for line in draw(st.lists(LINES, max_size=12)):
        try:
            tomllib.loads(text + line + "\n")
        except tomllib.TOMLDecodeError:
            continue
        text += line + "\n"
    return text


def asked(text: str) -> dict[Place, int]:
    lines = text.splitlines(keepends=True)
    found: dict[Place, int] = {}
    complete = 0
    for count in range(1, len(lines) + 1):
        try:
            table = tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        for place in places(table):
            found.setdefault(place, complete + 1)
        complete = count
    return found


def places(value: object, place: Place = ()) -> list[Place]:
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    here = [place] if place else []
    return here + [one for part, held in inner for one in places(held, (*place, part))]


@given(texts())
def test_each_value_is_found_where_the_parser_first_has_it(text: str) -> None:
    assert lines_of(text) == asked(text)


@given(texts())
def test_a_text_means_the_same_without_its_comments(text: str) -> None:
    bare = with_comments(text, lambda comment: "")
    assert tomllib.loads(bare) == tomllib.loads(text)
    assert "# note" not in bare
    assert "# more" not in bare


@given(texts())
def test_a_place_that_is_found_is_there(text: str) -> None:
    table = tomllib.loads(text)
    assert all(holds(table, place) for place in lines_of(text))
