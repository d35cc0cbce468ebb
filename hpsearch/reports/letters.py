"""Letters that matplotlib's own font lacks: another font's, or a number where none has them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

LAST_RESORT = "last resort"  # a font of boxes for every letter


def draw_in_letters(figure: Figure, draw: Callable[[], None]) -> dict[str, str]:
    """Draw a figure, and once more where the usual font lacks letters.

    Other fonts that are installed and have them join the usual one. Letters that no font has are
    numbers in the figure, a number for each word of them.

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
        names, left = _fonts_with(frozenset(lacking))
        numbers: dict[str, str] = {}
        for text in _texts(figure) if names else ():
            text.set_fontfamily([*text.get_fontfamily(), *names])
        if left:
            _number(figure, left, numbers)
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
def _fonts_with(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The names of few installed fonts that have as many of them as there are, and the rest."""
    names: list[str] = []
    # Of the faces of one name the plainest, which comes last, stays; so do the plainest on a tie.
    fonts = {font.name: letters & _known_to(font.fname) for font in reversed(_by_plainness())}
    while letters and fonts:
        best = max(reversed(fonts), key=lambda name: len(fonts[name] & letters))
        if not fonts[best] & letters:
            break
        letters -= fonts.pop(best)
        names.append(best)
    return tuple(names), letters


def _by_plainness() -> list[Any]:
    """The installed fonts, upright ones of usual weight first."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known_files = {font.fname for font in fontManager.ttflist}
    for path in findSystemFonts():  # matplotlib's list is from the day when it was first used
        if path not in known_files:
            with suppress(Exception):  # some font files are broken in ways of their own
                fontManager.addfont(path)

    def plainness(font: Any) -> tuple[bool, bool, bool, str]:
        usual_weight = font.weight in (400, "normal", "regular")
        return (font.style != "normal", not usual_weight, "Sans" not in font.name, font.name)

    fonts = (font for font in fontManager.ttflist if LAST_RESORT not in font.name.lower())
    return sorted(fonts, key=plainness)


def _known_to(path: str) -> frozenset[str]:
    with suppress(Exception):  # as above, or the file is gone
        return frozenset(map(chr, _letters_of(path)))
    return frozenset()


def _number(figure: Figure, lacking: Set[str], numbers: dict[str, str]) -> None:
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
