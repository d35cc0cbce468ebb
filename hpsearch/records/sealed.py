"""JSON that says when it was changed: its format first, a digest of its text last.

    {"format": 2, …, "digest": "91b9d8c1f2a07e35"}

The digest is of the file's name with its folder's, and of all bytes before the digest's comma: no
byte before it changes without being seen, and no file takes another's place. From format 2 on it
can't be left out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpsearch.errors import DamagedError
from hpsearch.records.format import FORMAT, KEY, Content, converted, stamped
from hpsearch.records.whole_files import write_below

DIGEST = "digest"
SEALED = 2  # the first format with a digest
END = re.compile(rb',\s*"digest": "([0-9a-f]{16})"\s*\}\s*\Z')


def digest_of(content: bytes) -> str:
    """SHA-256, 16 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:16]


def seal(content: Mapping[str, Any], name: str | Path) -> bytes:
    """The text of a sealed file.

    Args:
        name: its path; the last two parts count.
    """
    head = json.dumps(stamped(content)).removesuffix("}").encode()
    return head + f', "{DIGEST}": "{_of_text(head, name)}"}}'.encode()


def _of_text(head: bytes, name: str | Path) -> str:
    return digest_of("/".join(Path(name).parts[-2:]).encode() + b"\0" + head)


def unseal(text: bytes, name: str | Path) -> Content:
    """The content of a sealed file, or of one from before they were, in today's format.

    Args:
        name: its path; the last two parts count.

    Raises:
        DamagedError: it is not what was written there.
        FormatError: a newer hpsearch wrote it.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedError(name, "no JSON") from error
    if not isinstance(content, dict):
        raise DamagedError(name, f"JSON of a {type(content).__name__}")
    end = END.search(text)
    if end is not None and end[1].decode() != _of_text(text[: end.start()], name):
        raise DamagedError(name, "content that does not match its digest")
    number = content.get(KEY, 0)
    if isinstance(number, int) and number > FORMAT and end is None:
        return converted(content, str(name))  # refuses it; it may be sealed in another way
    must_be = DIGEST in content or (isinstance(number, int) and number >= SEALED)
    if end is None and must_be:
        raise DamagedError(name, "no digest, or one that is cut off")
    content.pop(DIGEST, None)
    return converted(content, str(name))


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write a sealed file, whole; folders are made.

    Raises:
        StorageError: the disk is full or read-only.
    """
    write_below(path, seal(content, path))


def read_sealed(path: Path, *keys: str) -> Content | None:
    """The content of a sealed file, or None where there is no file.

    Args:
        keys: that it must have; what is older than digests may be another file.

    Raises:
        DamagedError, FormatError: as `unseal`.
    """
    try:
        content = unseal(path.read_bytes(), path)
    except FileNotFoundError:
        return None
    missing = [key for key in keys if key not in content]
    if missing:
        raise DamagedError(path, f"no {', '.join(missing)}")
    return content
