"""Addresses of stores as people and files may see them: without passwords."""

from __future__ import annotations

import re

SECRET_KEYS = ("password", "passwd", "sslpassword", "token")  # of a URL's query
HIDDEN = "***"


def without_password(address: str) -> str:
    """The address with its password, and those in its query, replaced by ***."""
    # The last @ before the path ends the password: one that is not quoted may hold another.
    text = re.sub(r"(://[^/?#:@]*:)[^/?#]*@", rf"\1{HIDDEN}@", address)
    keys = "|".join(SECRET_KEYS)
    return re.sub(rf"([?&](?:{keys})=)[^&#]*", rf"\1{HIDDEN}", text, flags=re.IGNORECASE)


def has_password(address: str) -> bool:
    """Whether a password is in it."""
    return without_password(address) != address


def scrubbed(text: str, address: str) -> str:
    """A text of somebody else, e.g. a driver's error, without the address's password."""
    for secret in _secrets(address):
        text = text.replace(secret, HIDDEN)
    return text


def first_line(error: BaseException, address: str) -> str:
    """What an error says at first, without the address's password; "" if it says nothing."""
    return (scrubbed(str(error), address).strip().splitlines() or [""])[0]


def _secrets(address: str) -> list[str]:
    from urllib.parse import unquote

    keys = "|".join(SECRET_KEYS)
    found = re.findall(r"://[^/?#:@]*:([^/?#]*)@", address)
    found += re.findall(rf"[?&](?:{keys})=([^&#]*)", address, flags=re.IGNORECASE)
    return sorted({s for raw in found for s in (raw, unquote(raw)) if s}, key=len, reverse=True)
