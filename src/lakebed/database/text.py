"""Text that comes from outside, as a text column can hold it."""


def storable(text: str) -> str:
    """The same text; what PostgreSQL or UTF-8 refuses (NUL, lone surrogates) is spelled out."""
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()
