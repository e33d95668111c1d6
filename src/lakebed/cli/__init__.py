"""The command line: parse, validate, call, print."""

from lakebed.cli.entry import main

__all__ = ["main"]
