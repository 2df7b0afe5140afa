"""Names of files that are no text, as a document can hold them. Knows no content."""

from __future__ import annotations


def encodable(value: object) -> object:
    """The same document; bytes of a file's name that are not UTF-8 become question marks."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {encodable(key): encodable(one) for key, one in value.items()}
        case list():
            return [encodable(one) for one in value]
    return value
