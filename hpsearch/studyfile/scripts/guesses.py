"""What a study makes of each option of a program: searched, fixed, set by the study, left out.

They are guesses from names, kinds and defaults. Each has a note that says so, and ends up as a
comment in the study file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hpsearch.studyfile.scripts.names import (
    CHECKPOINTS,
    EPOCHS,
    FOLDERS,
    FOLDS,
    GPUS,
    NEAR_ONE,
    PLUMBING,
    RATES,
    RESUMES,
    SECRETS,
    SEEDS,
    SHAPES,
    SHARES,
    USUAL,
)
from hpsearch.studyfile.scripts.option import Option, flag_name
from hpsearch.studyfile.toml import toml_value
from hpsearch.trainers.commands import KNOWN

Word = str | tuple[str, ...]  # of the command; several: an optional group
TODO = "TODO"  # a placeholder that begins so is none, and a study with one does not start

ROLES: Mapping[str, tuple[Sequence[str], str]] = {
    "epochs": (EPOCHS, "the study sets the length"),
    "seed": (SEEDS, "the study sets the seed"),
    "fold": (FOLDS, "the study sets the fold"),
    "checkpoint": (
        CHECKPOINTS,
        "guess: the program resumes from this file, and starts from the beginning if there is "
        "none",
    ),
    "folder": (FOLDERS, "guess: output files go to the trial's folder"),
}
TAKEN = frozenset(name for names, _ in ROLES.values() for name in names)
EVERY = ("folder",)  # roles that any number of options may have

SMALL = 0.01  # a float below it is likely to be searched by its decades
# Keys that mean something else to a study file, or in a command.
RESERVED = frozenset(("trainer", "network", "shots", *KNOWN, *ROLES))


@dataclass(frozen=True)
class Guess:
    """What becomes of one option.

    Attributes:
        option: it.
        role: "search", "fix", "leave" for left out, "todo", or what the study sets: "epochs",
            "seed", "fold", "checkpoint", "folder".
        words: of the command; of an option left out what it would be, where that is known.
        key, value: its line of [space], where it is searched; the value as TOML.
        note: why.
    """

    option: Option
    role: str
    words: tuple[Word, ...] = ()
    key: str = ""
    value: str = ""
    note: str = ""


def guesses(options: Sequence[Option]) -> list[Guess]:
    """What becomes of the options, those without a flag first, as their places count."""
    options = [_whole(option) for option in options]
    roles = _roles(options)
    several = [
        _role_guess(option, roles[place]) if place in roles else _guess(option)
        for place, option in enumerate(options)
    ]
    ordered = sorted(several, key=lambda guess: bool(guess.option.flag))
    return list(_distinct(ordered))


def _whole(option: Option) -> Option:
    """With a whole number as the default of an int: 1e5 is none that int() reads."""
    default = option.default
    if option.kind == "int" and isinstance(default, float) and default.is_integer():
        return replace(option, default=int(default))
    return option


def _roles(options: Sequence[Option]) -> dict[int, str]:
    """The places of those options that take what the study sets."""
    found: dict[int, str] = {}
    for role, (names, _) in ROLES.items():
        fitting = [
            place
            for name in names
            for place, option in enumerate(options)
            if _plain(option) == name and _fits(option, role)
        ]
        found |= dict.fromkeys(fitting if role in EVERY else fitting[:1], role)
    return found


def _fits(option: Option, role: str) -> bool:
    numbers = role in ("epochs", "seed", "fold")
    textual = option.kind == "str" and isinstance(option.default, str | None)
    numbered = role == "fold" and option.choices == tuple(range(len(option.choices)))
    if option.switch or option.several or option.kind == "bool":
        return False
    if option.choices and not numbered:
        return False
    return option.kind in ("int", "float") or option.default is None if numbers else textual


def _plain(option: Option) -> str:
    return re.sub(r"[-.]", "_", option.name.lower())


def _tokens(option: Option) -> set[str]:
    """The words of its name, also without their numbers: beta1 is a beta."""
    words = re.findall(r"[a-z]+\d*", _snake(option.name))
    return {*words, *(word.rstrip("0123456789") for word in words)}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _role_guess(option: Option, role: str) -> Guess:
    placeholder, note = f"{{{role}}}", ROLES[role][1]
    if role == "folder":
        # A file's name stays, below the folder.
        last = str(option.default or "").replace("\\", "/").rsplit("/", 1)[-1]
        is_file = "." in last.strip(".") or "file" in _tokens(option) or "csv" in _tokens(option)
        if is_file and "{" not in last and "}" not in last:
            placeholder += f"/{last or option.name}"
    return Guess(option, role, _written(option, placeholder), note=note)


def _guess(option: Option) -> Guess:
    tokens = _tokens(option)
    searched = _searched(option, tokens)
    if searched is not None:
        return searched
    if option.switch:
        return _left_out(option, "it affects how the program runs, not what it learns")
    if _plain(option) in RESUMES and option.kind == "str" and not option.required:
        why = "for a program that starts from the beginning if the file does not exist"
        return Guess(option, "leave", _written(option, "{checkpoint}"), note=f"left out: {why}")
    if option.required and option.default is None:
        words = _written(option, f"{{{TODO}_{_key(option)}}}")
        return Guess(option, "todo", words, note=_needed(option))
    if option.several and isinstance(option.default, list) and option.default and option.flag:
        words = (option.flag, *map(str, option.default))
        if not any("{" in word or "}" in word for word in words):
            return Guess(option, "fix", words, note="several values, fixed at its default")
    return _fixed(option, tokens)


def _needed(option: Option) -> str:
    """The note of an option that a person must fill in."""
    listed = f", one of {', '.join(map(str, option.choices))}" if option.choices else ""
    return f"TODO: the program needs a value here{listed}"


def _fixed(option: Option, tokens: set[str]) -> Guess:
    """At its default, or left out where that can't be written."""
    text = str(option.default)
    if option.doubt:
        return _left_out(option, option.doubt)
    if option.computed:
        return _left_out(option, "the program computes its default")
    if option.several or isinstance(option.default, list):
        return _left_out(option, "takes several values")
    if option.default is None or text == "":
        why = "no default" if option.default is None else "empty by default"
        return _left_out(option, why)
    if SECRETS & tokens:
        return _left_out(option, "a secret is not written here")
    if re.search(r"[{}\x00-\x1f\x7f]", text):
        return _left_out(option, "its default can't be written on a command line")
    if GPUS & tokens:
        note = "fixed at its default; {gpu} is the GPU assigned to the trial"
    else:
        note = "fixed at its default"
    return Guess(option, "fix", _written(option, text), note=note)


def _left_out(option: Option, why: str) -> Guess:
    words = (option.flag,) if option.switch else ()
    return Guess(option, "leave", words, note=f"left out: {why}")


def _written(option: Option, value: str) -> tuple[Word, ...]:
    """An option with its value: --lr=0.1, but -l 0.1, as click has no other."""
    if not option.flag:
        return (value,)
    return (f"{option.flag}={value}",) if option.flag.startswith("--") else (option.flag, value)


def _key(option: Option) -> str:
    key = re.sub(r"\W", "_", option.name, flags=re.ASCII)
    key = key if key[:1].isalpha() else f"p_{key}"
    return f"{key}_" if key in RESERVED or key.startswith(TODO) else key


def _searched(option: Option, tokens: set[str]) -> Guess | None:
    """The guess of an option that may be searched; None of another."""
    if option.several or option.computed or option.doubt or _plain(option) in (*TAKEN, *RESUMES):
        return None
    training = tokens >= {"train", "batch", "size"}
    if tokens & (PLUMBING | SECRETS | (frozenset() if training else GPUS)):
        return None
    if option.switch:
        return None if tokens & {"do", "train", "only"} else _switch(option)
    if option.choices:
        return _choices(option, list(option.choices), "its choices")
    if option.kind == "bool" and option.flag:
        return _choices(option, ["True", "False"], "true or false, as text")
    found = None
    if option.kind == "float":
        found = _float_range(option, tokens)
    elif option.kind == "int" and not tokens & SHAPES:
        found = _int_range(option)
    if found is None or not option.flag:
        return None
    low, high, log, why = found
    if not low < high:
        return None
    entry = f"low = {toml_value(low)}, high = {toml_value(high)}"
    entry += ", int = true" * (option.kind == "int") + ", log = true" * log
    default = option.default
    if option.kind == "float" and default is not None:
        default = float(default)
    inside = default is not None and low <= default <= high
    return _search(option, entry, why, default if inside else None)


def _switch(option: Option) -> Guess:
    """A switch that is on or off: the flag that changes the default is given or not."""
    flag = option.off if option.off and option.default is True else option.flag
    switch = replace(option, name=flag_name(flag))
    key = _key(switch)
    words = ((flag, f"{{{key}?}}"),)
    why = f"with or without {flag}"
    value = "{ choices = [true, false], default = false }"  # as without the flag
    return Guess(option, "search", words, key, value, why)


def _choices(option: Option, values: list[Any], why: str) -> Guess | None:
    plain = [value for value in values if isinstance(value, int | float | str) and value != ""]
    distinct = list(dict.fromkeys(plain))
    if len(distinct) < max(2, len(values)) or any(isinstance(one, bool) for one in distinct):
        return None
    text = str(option.default) if isinstance(option.default, bool) else option.default
    known = [value for value in distinct if value == text and type(value) is type(text)]
    return _search(option, f"choices = {toml_value(distinct)}", why, *known)


def _search(option: Option, entry: str, why: str, default: Any = None) -> Guess:
    """The guess of an option that is searched.

    Args:
        entry: what it draws, as keys of a TOML table.
        default: as the program has it; None: it has none, or one that is not drawn.
    """
    key = _key(option)
    if default is not None:
        entry += f", default = {toml_value(default)}"
    elif option.default is not None:
        why += f"; its default {option.default} is outside"
    return Guess(option, "search", _written(option, f"{{{key}}}"), key, f"{{ {entry} }}", why)


def _float_range(option: Option, tokens: set[str]) -> tuple[float, float, bool, str] | None:
    default = option.default
    if default is not None:
        is_number = isinstance(default, int | float) and not isinstance(default, bool)
        if not is_number or not math.isfinite(default) or default < 0:
            return None
        default = float(default)
    if _is_share(tokens, default):
        low, high = _share(tokens, default)
        return (*_inside(option, low, high), False, "a fraction between 0 and 1")
    rate = bool(tokens & RATES)
    if not default:
        usual = next((USUAL[word] for word in USUAL if rate and word in tokens), None)
        if usual is None:
            return None
        why = "a usual range"
        return (*_inside(option, *usual), True, why)
    if rate or default < SMALL:
        ends = _inside(option, _short(default / 10), _short(default * 10))
        return (*ends, True, "a decade around the default")
    ends = _inside(option, _short(default / 2), _short(default * 2))
    return (*ends, False, "half to double the default")


def _is_share(tokens: set[str], default: float | None) -> bool:
    if (
        tokens & {"decay", "alpha", "lambda", "lambd"}
        and default is not None
        and 0.5 <= default < 1
    ):
        return True  # such as a factor that a rate is multiplied by
    return bool(tokens & SHARES) and (default is None or default <= 1)


def _share(tokens: set[str], default: float | None) -> tuple[float, float]:
    """The ends of a range of a share: those near 1 differ by what they lack of it."""
    near_one = bool(tokens & NEAR_ONE)
    if default == 1:
        return 0.5, 1.0
    if not default:
        return (0.5, 0.99) if near_one and default is None else (0.0, 0.95 if near_one else 0.5)
    if default < 0.5:
        return 0.0, 0.5
    rest = 1 - default
    return max(0.0, _short(1 - 5 * rest)), _short(1 - rest / 10)


def _int_range(option: Option) -> tuple[int, int, bool, str] | None:
    default = option.default
    if not isinstance(default, int) or isinstance(default, bool) or default < 1:
        return None
    if default < 8:
        low, high, log, why = 1, 2 * default, False, "1 to double the default"
        if default > 4:
            low, why = default // 2, "half to double the default"
    else:
        low, high, log = default // 4, default * 4, True
        why = "a quarter to four times the default"
    bounded = _inside(option, low, high)
    return math.ceil(bounded[0]), math.floor(bounded[1]), log and bounded[0] > 0, why


def _inside(option: Option, low: float, high: float) -> tuple[float, float]:
    """Within the bounds that the program checks."""
    kind = int if isinstance(low, int) else float
    low = low if option.low is None else max(low, kind(option.low))
    high = high if option.high is None else min(high, kind(option.high))
    return low, high


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _distinct(several: Sequence[Guess]) -> Iterator[Guess]:
    """With each key of [space] once: --amp and --no-amp of one value are one switch."""
    seen: set[str] = set()
    for guess in several:
        positive = guess.key.removeprefix("no_")
        if guess.key and positive in seen:
            other = "left out: another option sets the same"
            yield Guess(guess.option, "leave", note=other)
            continue
        seen |= {positive} if guess.key else set()
        yield guess
