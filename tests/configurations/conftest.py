from tests.operations.conftest import clock, engine, pg, server, sqlite, sqlite_template

__all__ = ["clock", "engine", "pg", "server", "sqlite", "sqlite_template"]
