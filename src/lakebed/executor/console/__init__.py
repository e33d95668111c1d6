"""The console: pages for people, made on the server from what the API answers."""

from lakebed.executor.console import assets, health, new, operations, sign_in, stores

CONSOLE = tuple(part.router for part in (assets, operations, new, stores, health, sign_in))
