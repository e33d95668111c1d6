"""Option sets: a dataclass of options that a command takes as one argument.

    @dataclass(frozen=True)
    class Output:
        json: Annotated[bool, typer.Option("--json", help="…")] = False

    @app.command(cls=Command)
    @flatten
    def ls(location: Location, output: Output) -> None: ...

So an option is declared once, however many commands have it.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import NewType, cast, get_type_hints

import typer

GivenOrder = NewType("GivenOrder", tuple[str, ...])
"""A field of this type gets the names of the options as they were given, repetitions included."""

GIVEN = "lakebed.given"
_CONTEXT = "context"


def flatten(function: Callable[..., None]) -> Callable[..., None]:
    """`function` with each option set among its parameters taken apart into its options."""
    hints = get_type_hints(function, include_extras=True)
    sets = {n: h for n, h in hints.items() if isinstance(h, type) and is_dataclass(h)}
    parameters = [_keyword(_CONTEXT, typer.Context)]
    for name, parameter in inspect.signature(function).parameters.items():
        if name in sets:
            parameters += _options(sets[name])
        else:
            parameters.append(_keyword(name, hints[name], parameter.default))

    def call(**values: object) -> None:
        context = cast(typer.Context, values.pop(_CONTEXT))
        given = context.meta.get(GIVEN, ())
        for name, option_set in sets.items():
            values[name] = _collect(option_set, values, given)
        function(**values)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    # typer reads the signature; setattr because mypy knows no such attribute of a function.
    setattr(call, "__signature__", inspect.Signature(parameters))  # noqa: B010
    return call


def _keyword(
    name: str, annotation: object, default: object = inspect.Parameter.empty
) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _options(option_set: type) -> list[inspect.Parameter]:
    hints = get_type_hints(option_set, include_extras=True)
    return [
        _keyword(field.name, hints[field.name], field.default)
        for field in fields(option_set)
        if hints[field.name] is not GivenOrder
    ]


def _collect(option_set: type, values: dict[str, object], given: tuple[str, ...]) -> object:
    hints = get_type_hints(option_set)
    return option_set(
        **{
            field.name: given if hints[field.name] is GivenOrder else values.pop(field.name)
            for field in fields(option_set)
        }
    )
