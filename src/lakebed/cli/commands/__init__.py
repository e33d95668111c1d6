"""One file for each command: parse, validate, call, print."""
