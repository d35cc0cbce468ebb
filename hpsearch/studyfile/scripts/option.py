"""One option of a program, whichever way it was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["int", "float", "str", "bool"]


@dataclass(frozen=True)
class Option:
    """One option or argument of a program's command line.

    Attributes:
        flag: as it is written, e.g. "--lr"; "" of an argument that goes by its place.
        name: of its value, an identifier where the program's own is one, e.g. "lr".
        kind: of its value; "bool" of a switch, and of an option that takes true or false.
        default: without it; None: the program sets none, or `computed`.
        computed: its default is no literal.
        choices: the values that it takes; () for no such list.
        switch: it is given or not, without a value.
        off: of a switch with two flags, that for false: "--no-amp".
        several: it takes a list of values, or may be repeated.
        required: the program does not start without it.
        low, high: bounds that the program checks; None for none.
        doubt: why its values are not what they seem; "" for none.
        help: what the program says of it, one line.
    """

    flag: str
    name: str
    kind: Kind = "str"
    default: Any = None
    computed: bool = False
    choices: tuple[Any, ...] = ()
    switch: bool = False
    off: str = ""
    several: bool = False
    required: bool = False
    low: float | None = None
    high: float | None = None
    doubt: str = ""
    help: str = ""

    @property
    def shown(self) -> str:
        """As a person knows it: its flag, or the name of the argument."""
        return self.flag or self.name


@dataclass(frozen=True)
class CommandLine:
    """What a program takes.

    Attributes:
        source: where it was read: "argparse", "click", "typer", or "--help".
        options: in the order of the program.
        words: the subcommand, where there is one alone and it must be named.
        subcommands: those that it must have one of, where it is open which.
        unread: what could not be understood, a phrase each.
    """

    source: str
    options: tuple[Option, ...] = ()
    words: tuple[str, ...] = ()
    subcommands: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.options or self.subcommands or self.unread)


def flag_name(flag: str) -> str:
    """The name that a flag gives its value: "--weight-decay" is weight_decay."""
    return flag.lstrip("-").replace("-", "_")


def main_flag(flags: Iterable[str]) -> str:
    """The first long flag, else the first; "" of none."""
    several = list(flags)
    return next((flag for flag in several if flag.startswith("--")), next(iter(several), ""))


def kind_of(value: Any) -> Kind:
    """The kind that a default has by itself."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "str"
