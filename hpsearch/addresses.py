"""Addresses of stores: as people and files may see them, without passwords, and connections."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

from hpsearch.errors import HpsearchError, headline

# Parts of a name, in a URL's query or of an environment variable, whose value is a secret.
FOLDERS = ("PWD", "OLDPWD")  # the shell's: where it is, and where it was
SECRET_NAMES = re.compile(
    r"passw|pwd|passphrase|token|secret|api_?key|access_?key|credential|signature|^sig$|odbc_connect",
    re.IGNORECASE,
)
HIDDEN = "***"
SHORTEST_VARIABLE = 6  # TOKENIZERS_PARALLELISM=false is no secret
SHORTEST = 3  # of a secret that is looked for in texts; a shorter one would be in every word
# As SQLAlchemy divides them: a password goes up to an @, whatever else is in it.
DATABASE = re.compile(r"^(?:[\w+.-]+://|(?!.*://))[^:/@]*:(?P<secret>[^@]*(?:@[^/?#@]*)*)@")
# As urllib3 and requests do: what stands before the last @ of what / ? or # ends. A name without
# a password is a token.
WEB = re.compile(r"^https?://(?:[^/?#@:]*:(?=[^/?#@]))?(?P<secret>[^/?#]*)@", re.IGNORECASE)
QUERY = re.compile(r"[?&#](?P<name>[^=&#?]*)=(?P<secret>[^&]*)")
MLFLOW_UPGRADE = "'mlflow db upgrade <database_uri>'"  # in its messages
LIBPQ = ("psycopg", "psycopg2")  # drivers that take its parameters
KEEPALIVE = {  # seconds of silence before the first, between two, how many; milliseconds
    "keepalives_idle": 60,
    "keepalives_interval": 15,
    "keepalives_count": 4,
    "tcp_user_timeout": 120_000,
}


def without_password(address: str) -> str:
    """The address with its password or token, and those in its query, replaced by ***."""
    for start, end in sorted(_secret_spans(address), reverse=True):
        address = address[:start] + HIDDEN + address[end:]
    return address


def has_password(address: str) -> bool:
    """Whether a password is in it."""
    return without_password(address) != address


def scrubbed(text: str, address: str) -> str:
    """A text of somebody else, e.g. a driver's error, without the address's password."""
    return _replaced(text, _secrets(address))


def _secret_spans(address: str) -> list[tuple[int, int]]:
    """Where the secrets of an address begin and end; they don't overlap."""
    found = [m.span("secret") for m in _userinfo(address) if m["secret"]]
    after = max((end for _, end in found), default=0)
    for match in QUERY.finditer(address, after):
        if match["secret"] and SECRET_NAMES.search(unquote_plus(match["name"])):
            found.append(match.span("secret"))
    return found


def _userinfo(address: str) -> Iterator[re.Match[str]]:
    web = re.match("https?://", address, re.IGNORECASE) is not None
    if web and (match := WEB.match(address)):
        yield match
    elif (not web or not _has_port(address)) and (match := DATABASE.match(address)):
        yield match  # of the web too, where a / in the password ends what looks like a port


def _has_port(address: str) -> bool:
    """Whether a client of the web finds a host and a port, or none, in an address."""
    try:
        _ = urlsplit(address).port
    except ValueError:
        return False
    return True


def _secrets(address: str) -> list[str]:
    """The secrets of an address as texts may have them, the longest first."""
    return _spellings(_in_address(address))


def _in_address(address: str) -> list[str]:
    whole = [address[start:end] for start, end in _secret_spans(address)]
    # SQLAlchemy ends a password at its first @.
    return whole + [secret.partition("@")[0] for secret in whole]


def _spellings(secrets: Iterable[str]) -> list[str]:
    """Each as it is, quoted and unquoted for URLs, and inside a Python or JSON string."""
    found = set()
    for secret in secrets:
        for plain in (secret, unquote(secret), unquote_plus(secret)):
            found |= {plain, quote(plain), quote(plain, safe=""), quote_plus(plain)}
            found |= {repr(plain)[1:-1], json.dumps(plain)[1:-1]}
    return sorted((s for s in found if s), key=len, reverse=True)


def _replaced(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


class Scrubber:
    """Knows the secrets that a process was given, and takes them out of what it says.

    Args:
        environment: variables; those with a secret's name, and the secrets of addresses in them.
        arguments: of the command line; the secrets of addresses in them.
    """

    def __init__(self, environment: Mapping[str, str], arguments: Sequence[str]) -> None:
        values = [*environment.values(), *(a.partition("=")[2] for a in arguments), *arguments]
        addresses = [value for value in values if "://" in value]
        secrets = [secret for address in addresses for secret in _in_address(address)]
        secrets += [
            value
            for name, value in environment.items()
            if len(value) >= SHORTEST_VARIABLE
            and SECRET_NAMES.search(name)
            and name not in FOLDERS
        ]
        self._secrets = [s for s in _spellings(secrets) if len(s) >= SHORTEST]
        self._whole = {a: without_password(a) for a in addresses if has_password(a)}

    def message(self, text: str) -> str:
        """A text for people, e.g. a traceback, without any of the secrets."""
        return _replaced(self.data(text), self._secrets)

    def data(self, text: str) -> str:
        """Results, without the addresses that have secrets; a word that is one too stays."""
        for address, shown in self._whole.items():
            text = text.replace(address, shown)
        return text

    def install(self) -> None:
        """Scrub all that this process writes to its standard output and error from here on."""
        sys.stdout = cast(TextIO, _Scrubbed(sys.stdout, self.data))
        sys.stderr = cast(TextIO, _Scrubbed(sys.stderr, self.message))


class _Scrubbed:
    """A text stream whose texts go through a function."""

    def __init__(self, stream: TextIO, scrub: Callable[[str], str]) -> None:
        self._stream, self._scrub = stream, scrub

    def write(self, text: str) -> int:
        self._stream.write(self._scrub(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def first_line(error: BaseException, address: str) -> str:
    """What an error says at first, without the address's password; "" if it says nothing.

    A command of MLflow's in it names the address, so that it can be copied.
    """
    text = scrubbed(str(error), address)
    upgrade = f"mlflow db upgrade {shlex.quote(without_password(address))}"
    return headline(text.replace(MLFLOW_UPGRADE, upgrade))


def has_wrong_port(address: str) -> bool:
    """Whether an address has a port that is no number from 1 to 65535."""
    if address.startswith("sqlite:"):  # a file
        return False
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    web = re.match("(?:https?|dask|tcp|tls)://", address, re.IGNORECASE)
    try:
        port = urlsplit(address).port if web else make_url(address).port
    except ArgumentError:
        return False  # not a database, or its user hears of it where it is opened
    except ValueError:
        return True
    return port is not None and not 0 < port < 65536


def check_port(name: str, address: str) -> None:
    """Refuse an address whose port is none.

    Args:
        name: what the address is of, e.g. "the Optuna storage".

    Raises:
        HpsearchError: it has one that is no number from 1 to 65535.
    """
    if has_wrong_port(address):
        raise HpsearchError(
            f"{name} must have a port from 1 to 65535, or none, got {without_password(address)!r}"
        )


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


def keep_connections() -> None:
    """Have connections to PostgreSQL that this process makes from now on notice a lost peer.

    A firewall forgets a connection that is silent, such as one that holds a lock during long
    trials, and lets nothing through any more. A keepalive every minute keeps it; without an
    answer the connection ends after two minutes, and not after hours. What an address says of
    this itself counts.
    """
    import sqlalchemy

    if not sqlalchemy.event.contains(sqlalchemy.engine.Engine, "do_connect", _keep):
        sqlalchemy.event.listen(sqlalchemy.engine.Engine, "do_connect", _keep)


def _keep(dialect: Any, _: object, arguments: object, named: dict[str, Any]) -> None:
    if dialect.name == "postgresql" and dialect.driver in LIBPQ:
        for name, value in KEEPALIVE.items():
            if name != "tcp_user_timeout" or dialect.driver != "psycopg2":  # its libpq may be old
                named.setdefault(name, value)
