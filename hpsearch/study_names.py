"""What a study or a batch may be called, and what its folder, model and pages are called then."""

from __future__ import annotations

import re
import unicodedata

LENGTH, BYTES = 80, 200  # at most; file systems allow 255 bytes, with what is added while writing
SIGNS = " _-.,+()"  # beside letters, marks and digits of any script
BLANK = "\u115f\u1160\u3164\uffa0"  # letters of Hangul that show nothing
ESCAPED = re.compile("~([0-9a-f]{2})")
NUMBERED = re.compile(r"/\d{1,9}$")
RULE = (
    f"must be 1 to {LENGTH} visible characters or spaces, not begin or end with a space, not "
    "begin with '-', and not end with '/' and a number (\"quickstart/2\" is a run); its folder's "
    f"name must be at most {BYTES} bytes long, and signs such as '/' take 3"
)


def is_name(text: str) -> bool:
    """Whether a text keeps RULE."""
    return (
        0 < len(text) <= LENGTH
        and text == text.strip()
        and text[0] != "-"
        and all(c == " " or _is_visible(c) for c in text)
        and not NUMBERED.search(text)
        and len(file_name(text).encode()) <= BYTES
    )


def file_name(name: str) -> str:
    """A name as a file system, an address and MLflow's registry take it.

    A sign that has a meaning there is written as "~" and its code, "a/b" as "a~2fb"; most names
    stay as they are. `from_file_name` is the way back.
    """
    return "".join(
        c if _is_plain(c) and (place > 0 or c not in SIGNS) else f"~{ord(c):02x}"
        for place, c in enumerate(name)
    )


def from_file_name(text: str) -> str:
    """The name that `file_name` made a text of; another text as it is."""
    name = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return name if file_name(name) == text else text


def part_of_name(text: str) -> str:
    """A text as part of a name: letters, marks, digits, "_", "." and "-" stay."""
    kept = (c if c in "_.-" or _is_letter(c) else " " for c in as_written(text))
    return "_".join(re.split(" +", "".join(kept)))


def _is_plain(character: str) -> bool:
    """Whether it stays in `file_name`: of signs in ASCII alone some have a meaning."""
    return character in SIGNS or character.isalnum() or not character.isascii()


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMNPS" and character not in BLANK


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" and character not in BLANK


def as_written(text: str) -> str:
    """A name with its letters composed: keyboards and file systems write é or 고 in two ways."""
    return unicodedata.normalize("NFC", text)
