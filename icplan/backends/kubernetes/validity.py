"""Until when a certificate is valid: the one thing of it that our messages name."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

_END = "-----END CERTIFICATE-----"
_UTC_TIME, _VERSION = 0x17, 0xA0


def expired(file: str | None) -> str:
    """The day on which a certificate's file expired; empty while it is valid, or unknown."""
    if file is None:
        return ""
    try:
        text = Path(file).read_text(encoding="ascii")
        end = not_after(ssl.PEM_cert_to_DER_cert(text[: text.index(_END) + len(_END)].lstrip()))
    except (OSError, ValueError, IndexError):
        return ""
    return end.date().isoformat() if end < datetime.now(UTC) else ""


def not_after(certificate: bytes) -> datetime:
    """The end of a certificate's validity (RFC 5280 section 4.1).

    Raises:
        ValueError: it is none.
        IndexError: it is cut off.
    """
    _, signed, _ = _element(certificate)
    _, rest, _ = _element(signed)
    tag, _, after = _element(rest)
    if tag == _VERSION:
        _, _, after = _element(after)
    # The serial number was just passed; then come the algorithm and the issuer.
    for _ in range(2):
        _, _, after = _element(after)
    _, validity, _ = _element(after)
    _, _, end = _element(validity)
    tag, text, _ = _element(end)
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first DER element, and what follows it."""
    tag, size, start = data[0], data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start])
    return tag, data[start : start + size], data[start + size :]
