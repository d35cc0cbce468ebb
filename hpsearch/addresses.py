"""Addresses of stores as people and files may see them: without passwords."""

from __future__ import annotations

import re
from pathlib import Path

from hpsearch.errors import HpsearchError, headline

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
    return headline(scrubbed(str(error), address))


def check_apart(storage: str, tracking_uri: str) -> None:
    """Refuse one database for both: Optuna and MLflow each keep an alembic_version table.

    Raises:
        HpsearchError: it is one.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        first, second = make_url(storage), make_url(tracking_uri)
    except ArgumentError:
        return  # not a database, or its user hears of it where it is opened
    if first.get_backend_name() != second.get_backend_name():
        return
    if first.get_backend_name() == "sqlite":
        places = [Path(url.database or "").absolute() for url in (first, second)]
    else:
        places = [(url.host, url.port, url.database) for url in (first, second)]  # type: ignore[misc]
    if places[0] == places[1]:
        raise HpsearchError(
            "--storage and the MLflow store must be two databases, got one for both: "
            f"{without_password(tracking_uri)}"
        )


def _secrets(address: str) -> list[str]:
    from urllib.parse import unquote

    keys = "|".join(SECRET_KEYS)
    found = re.findall(r"://[^/?#:@]*:([^/?#]*)@", address)
    found += re.findall(rf"[?&](?:{keys})=([^&#]*)", address, flags=re.IGNORECASE)
    return sorted({s for raw in found for s in (raw, unquote(raw)) if s}, key=len, reverse=True)
