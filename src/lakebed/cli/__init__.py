"""The command line: parse, validate, call, print."""

from lakebed.cli.main import main

__all__ = ["main"]
