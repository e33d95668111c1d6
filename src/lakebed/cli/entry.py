"""The entry point: run a command, and turn every end into one line and an exit code."""

import errno
import gc
import sys
from collections.abc import Sequence

from typer import TyperException

from lakebed.cli.app import COMMANDS, build
from lakebed.cli.options import EVERYWHERE
from lakebed.cli.output import failed, flush, silence
from lakebed.cli.session import complain, show_trace
from lakebed.errors import Exit, LakebedError

_COLLECT_AFTER = 50_000
"""Objects made and not freed until cycles are searched for, instead of 700: imports and listings
make a great many that stay, or are freed without a search (docs/adr/0013)."""


def main() -> None:
    """The `lakebed` command."""
    gc.set_threshold(_COLLECT_AFTER)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command line. Whatever is left to be written is written here, so that
    nothing fails once the code is settled."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    failed()
    code = _ended(arguments)
    flush(sys.stdout)
    lost = failed()
    if lost is not None:
        complain(f"stdout: {lost.strerror}")
        code = code or Exit.FAILED_OBJECTS
    flush(sys.stderr)
    return code


def _ended(arguments: Sequence[str]) -> int:
    try:
        named = arguments[:1] if set(arguments[:1]) & set(COMMANDS) else COMMANDS
        code = build(named)(list(arguments), prog_name="lakebed", standalone_mode=False)
        return int(code or Exit.COMPLETED)
    except TyperException as error:
        complain(_usage(error))
        return Exit.USAGE
    except LakebedError as error:
        if _is_debug(arguments):
            show_trace(error)
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        complain("interrupted by SIGINT")
        return Exit.SIGINT
    except SystemExit as ended:  # how typer ends help whose reader has left, and completion
        return ended.code if isinstance(ended.code, int) else Exit.COMPLETED
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and not error.filename:
            # Help and version are written by typer.
            complain(f"stdout: {error.strerror}")
            silence(sys.stdout)
            return Exit.FAILED_OBJECTS
        return _defect(error, _is_debug(arguments))


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "lakebed"
    option = str(getattr(error, "option_name", ""))
    if context and context.parent is None and option in EVERYWHERE:
        return f"{option}: write it after the command, as in lakebed sync {option} …"
    return f"{error.format_message().rstrip('.')} (see {command} --help)"


def _is_debug(arguments: Sequence[str]) -> bool:
    return "--debug" in arguments


def _defect(error: Exception, debug: bool) -> int:
    what = f"{type(error).__name__}: {error}"
    if debug:
        show_trace(error)
        complain(f"a defect of Lakebed: {what}")
    else:
        complain(f"a defect of Lakebed: {what} (run again with --debug for the trace)")
    return Exit.DEFECT
