"""Numbers with what they count, as a text says them."""

from __future__ import annotations


def noun_of(number: float, noun: str, plural: str = "") -> str:
    """The noun after a number: "trial" after 1, "trials" after 0, 2 or more.

    Args:
        plural: of a noun that does not only take an "s".
    """
    return noun if number == 1 else plural or f"{noun}s"


def count_of(number: float, noun: str, plural: str = "", *, form: str = "") -> str:
    """A number and its noun: "1 trial", "64 trials".

    Args:
        plural: of a noun that does not only take an "s".
        form: of the number, as `format` takes it, such as ",".
    """
    return f"{number:{form}} {noun_of(number, noun, plural)}"


def all_of(number: int, noun: str) -> str:
    """ "all 3 trials", "the only trial"."""
    return f"the only {noun}" if number == 1 else f"all {number} {noun}s"


def all_tried(configurations: int) -> str:
    """That a search has tried all configurations that there are."""
    were = "was" if configurations == 1 else "were"
    return f"{all_of(configurations, 'configuration')} {were} tried"
