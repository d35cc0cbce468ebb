"""What a study or a batch may be called: a folder has its name, too."""

from __future__ import annotations

import re
import unicodedata

LENGTH, BYTES = 80, 200  # at most; file systems allow 255 bytes, with what is added while writing
SIGNS = " _-.,+()"  # beside letters, marks and digits of any script
BLANK = "\u115f\u1160\u3164\uffa0"  # letters of Hangul that show nothing
RULE = (
    f"must be 1 to {LENGTH} letters, digits, spaces, '_', '-', '.', ',', '+' or brackets, begin "
    f"with a letter or digit, not end with a space, and take up at most {BYTES} bytes"
)


def is_name(text: str) -> bool:
    """Whether a text keeps RULE."""
    fits = 0 < len(text) <= LENGTH and len(text.encode(errors="replace")) <= BYTES
    return (
        fits
        and unicodedata.category(text[0])[0] in "LN"
        and text == text.strip()
        and all(c in SIGNS or _is_letter(c) for c in text)
    )


def part_of_name(text: str) -> str:
    """A text as part of a name: letters, marks, digits, "_", "." and "-" stay."""
    kept = (c if c in "_.-" or _is_letter(c) else " " for c in as_written(text))
    return "_".join(re.split(" +", "".join(kept)))


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" and character not in BLANK


def as_written(text: str) -> str:
    """A name with its letters composed: keyboards and file systems write é or 고 in two ways."""
    return unicodedata.normalize("NFC", text)
