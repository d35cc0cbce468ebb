"""Letters that matplotlib's own font lacks: another font's, or a number where none has them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

LAST_RESORT = "last resort"  # a font of boxes for every letter


def draw_in_letters(figure: Figure, draw: Callable[[], None]) -> dict[str, str]:
    """Draw a figure, and once more where the usual font lacks letters.

    Another font that is installed and has them joins the usual one. Where there is none, each
    word of such letters is a number in the figure.

    Args:
        draw: draws and writes the figure; called once or twice.

    Returns:
        What stands for which word, e.g. {"#1": "고양이"}.
    """
    with quiet_about_letters():
        draw()
        lacking = _lacking(figure)
        if not lacking:
            return {}
        name = _font_with(frozenset(lacking))
        numbers: dict[str, str] = {}
        if name:
            for text in _texts(figure):
                text.set_fontfamily([*text.get_fontfamily(), name])
        else:
            _number(figure, lacking, numbers)
        draw()
    return {number: word for word, number in numbers.items()}


@contextmanager
def quiet_about_letters() -> Iterator[None]:
    """Within it matplotlib does not warn of letters that its font lacks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+")
        yield


def _texts(figure: Figure) -> Iterator[Text]:
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text():
            yield text


def _lacking(figure: Figure) -> set[str]:
    from matplotlib.font_manager import FontProperties, findfont

    letters = {
        c for text in _texts(figure) if not text.get_text().isascii() for c in text.get_text()
    }
    if not letters:
        return set()
    known = _letters_of(findfont(FontProperties()))
    return {c for c in letters if ord(c) not in known and not c.isspace()}


@lru_cache(maxsize=4)
def _letters_of(path: str) -> Mapping[int, Any]:
    from matplotlib.font_manager import get_font

    return get_font(path).get_charmap()


@lru_cache(maxsize=8)
def _font_with(letters: frozenset[str]) -> str:
    """The name of an installed font that has them all, "" if none does."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known_files = {font.fname for font in fontManager.ttflist}
    for path in findSystemFonts():  # matplotlib's list is from the day when it was first used
        if path not in known_files:
            with suppress(OSError, RuntimeError):
                fontManager.addfont(path)

    def plainness(font: Any) -> tuple[bool, bool, bool, str]:
        usual = (
            font.style == "normal",
            font.weight in (400, "normal", "regular"),
            "Sans" in font.name,
        )
        return (*(not is_usual for is_usual in usual), font.name)

    for font in sorted(fontManager.ttflist, key=plainness):
        if LAST_RESORT in font.name.lower():
            continue
        with suppress(OSError, RuntimeError):  # a file that is gone, or no font for FreeType
            known = _letters_of(font.fname)
            if all(ord(c) in known for c in letters):
                return str(font.name)
    return ""


def _number(figure: Figure, lacking: set[str], numbers: dict[str, str]) -> None:
    """Put a number in place of every word of letters that are lacking."""
    one = f"[{re.escape(''.join(sorted(lacking)))}]"
    word = re.compile(rf"{one}(?:[\s{one[1:-1]}]*{one})?")

    def numbered(text: str) -> str:
        return word.sub(lambda found: numbers.setdefault(found[0], f"#{len(numbers) + 1}"), text)

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if any(word.search(label) for label in labels):
                axis.set_ticks(axis.get_majorticklocs(), [numbered(label) for label in labels])
    for text in _texts(figure):
        text.set_text(numbered(text.get_text()))
