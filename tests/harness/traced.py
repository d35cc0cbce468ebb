"""Whether a text of a study says what its records say: read from the files, as anybody would."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
BY_DEFINITION = ("95 %", "SHA-256", "0.0000", "1.0000")  # the ends of ranges of metrics, too
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}


def untraced(run: Path, text: str, place: str) -> str:
    """What of a text is not in the records at its place; "" for nothing.

    Args:
        run: the folder of the run.
        place: a file below it, "#" and a JSON pointer, and in brackets what is made of the values.
    """
    if place == "by definition":
        return "" if text in BY_DEFINITION else text
    found = list(_values(run, place))
    if any(isinstance(value, str) and text in value for value in found):
        return ""
    known = list(_numbers(found))
    missing = [n for n in NUMBER.findall(text) if not any(_same(n, value) for value in known)]
    return ", ".join(missing)


def _values(run: Path, place: str) -> Iterator[Any]:
    where, _, how = place.partition(" (")
    name, _, pointer = where.partition("#")
    files = sorted(run.glob(name))
    assert files, f"no {name} in {run}"
    values = [v for file in files for v in _at(json.loads(file.read_bytes()), pointer.split("/"))]
    how = how.removesuffix(")")
    if how == "how many":
        yield len(values) if not pointer else next(len(v) for v in values if v is not None)
    elif how.startswith("how many have "):
        yield sum(how.removeprefix("how many have ") in entry for entry in values[0])
    elif how.startswith("how many are "):
        yield sum(value == how.removeprefix("how many are ") for value in values)
    elif how == "a name":
        yield from (name for value in values for name in value)
    elif how.startswith("different names"):
        names = {entry["name"] for entry in values[0]}
        yield len(names - {*how.removeprefix("different names but ").split(", ")})
    elif how.startswith("sum, in "):
        yield float(f"{sum(values) / SECONDS[how.removeprefix('sum, in ')]:.3g}")
    else:
        assert how in ("", "each"), how
        yield from values


def _at(tree: Any, names: list[str]) -> list[Any]:
    """The values at a JSON pointer, whose `*` is any entry of a list."""
    found = [tree]
    for name in (part.replace("~1", "/").replace("~0", "~") for part in names if part):
        if name == "*":
            found = [entry for value in found for entry in value]
        else:
            found = [v[int(name)] if isinstance(v, list) else v[name] for v in found]
    return found


def _numbers(value: Any) -> Iterator[float]:
    """All numbers in a value, those in its texts too."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)
    elif isinstance(value, str):
        yield from (float(number) for number in NUMBER.findall(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def _same(shown: str, value: float) -> bool:
    """Whether a number is a value as it is rounded where it is shown."""
    places = len(shown.partition(".")[2]) if "e" not in shown else 0
    rounded = (f"{value:.{places}f}", f"{value:.6g}", f"{value:.4g}")
    return float(shown) == value or shown in rounded
