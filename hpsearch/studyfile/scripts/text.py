"""The study file of a program: its command, what is searched, and why, beside every line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpsearch.studyfile.listing import PURPOSE
from hpsearch.studyfile.scripts.folds import n_folds
from hpsearch.studyfile.scripts.guesses import TODO, Guess, guesses
from hpsearch.studyfile.scripts.option import Option
from hpsearch.studyfile.scripts.printed_metrics import direction_of
from hpsearch.studyfile.scripts.reading import Script
from hpsearch.studyfile.tables.base import LARGEST
from hpsearch.studyfile.toml import noted, toml_value

STAGES = ((24, 3), (12, 9))  # where the program does not say how long it trains
TRIALS = (24, 12)
LONGEST = 100  # characters of a program's own words in a comment
PATTERN = r"{ pattern = 'epoch (?P<epoch>\d+) .* val_acc (?P<val_acc>\S+)' }"
EVALUATES = ("evaluate", "eval", "test", "test_only", "eval_only", "evaluate_only")


@dataclass(frozen=True)
class ProgramDraft:
    """A study file of a program, as far as the program tells.

    Attributes:
        text: of the file.
        source: where the options were read: "argparse", "click", "typer", "--help".
        todo: what a person must fill in before the study starts, a phrase each.
    """

    text: str
    source: str
    todo: tuple[str, ...]


def draft_study(
    script: Script, *, name: str, folder: Path, metric: str | None = None
) -> ProgramDraft:
    """Write the text.

    Args:
        name: of the study.
        folder: of the study file.
        metric: that is optimised; None: the likeliest one of those that the program prints.
    """
    return _Writer(script, name, folder, metric).draft()


class _Writer:
    def __init__(self, script: Script, name: str, folder: Path, metric: str | None) -> None:
        self.script, self.name, self.folder = script, name, folder
        self.metric = metric or script.printed.best()
        self.guesses = guesses(script.line.options)
        self.roles = {guess.role: guess for guess in self.guesses}
        self.todo: list[str] = []

    def draft(self) -> ProgramDraft:
        lines = [*self._head(), "", *self._program(), "", *self._space(), *self._stages()]
        lines += ["", "# More tables and keys: see docs/study-file.md of hpsearch."]
        return ProgramDraft("\n".join(lines) + "\n", self.script.line.source, tuple(self.todo))

    def _head(self) -> Iterator[str]:
        source = self.script.line.source
        read = f"running {_clean(self.script.path.name)} --help" if source == "--help" else source
        yield PURPOSE
        yield (
            f"# The options of {_clean(self.script.words[-1])} were read from {read}. The entries "
            "below are guesses; see the comments."
        )
        yield f"name = {toml_value(self.name)}"
        yield noted("seed = 0", "the seed for everything random")
        direction, known = direction_of(self.metric)
        if not self.metric:
            note = f"{TODO}: a metric that the program prints, not for training or test data"
        elif not known:
            note = "the direction is a guess: the name does not show it"
        elif self.metric in self.script.printed.names:
            note = f"guess, from the printed metrics: {', '.join(self.script.printed.names)}"
        else:
            note = "not found in the program's output"
        shown = toml_value(self.metric or f"{TODO}_metric")
        objective = f"{{ metric = {shown}, direction = {toml_value(direction)} }}"
        yield noted(f"objective = {objective}", _clean(note))

    def _program(self) -> Iterator[str]:
        yield "[program]"
        yield from self._command()
        yield from self._metrics()
        line = 'checkpoint = "{folder}/checkpoint"'
        if "checkpoint" in self.roles:
            yield noted(line, "guess: a promoted trial resumes from this file")
        else:
            yield noted(f"# {line}", "without it, a promoted trial starts from the beginning")
        yield noted(f"# test = {self._test()}", "without it, nothing is tested")
        if "fold" in self.roles:
            yield self._folds(self.roles["fold"].option)
        wandb = "wandb" in self.script.modules
        note = "trials send nothing to W&B" if wandb else "environment variables for the program"
        yield noted(f'{"" if wandb else "# "}env = {{ WANDB_MODE = "offline" }}', note)
        where = Path(os.path.relpath(self.script.folder, self.folder)).as_posix()
        yield noted(
            f"workdir = {toml_value(where)}", "where the program starts, relative to this file"
        )

    def _command(self) -> Iterator[str]:
        line = self.script.line
        yield "command = ["
        yield f"    {_listed([*self.script.words, *line.words])}"
        if line.subcommands:
            self.todo.append("the subcommand that trains")
            named = ", ".join(filter(None, line.subcommands)) or "several"
            note = f"{TODO}: one of {named}, with its own options, which were not read"
            yield noted(f'    "{{{TODO}_subcommand}}",', _clean(note))
        for guess in self.guesses:
            yield from self._of(guess)
        for what in line.unread:
            yield f"    # not understood: {_clean(what)}"
        yield "]"

    def _of(self, guess: Guess) -> Iterator[str]:
        option = guess.option
        if guess.role == "todo":
            self.todo.append(f"a value of {option.shown}")
        note = "searched" if guess.role == "search" else guess.note
        if option.help:
            note += f"; {option.help}"
        if guess.role == "leave":
            shown = _listed(guess.words) if guess.words else f"{_clean(option.shown)}"
            yield noted(f"    # {shown}", _clean(note))
        else:
            yield noted(f"    {_listed(guess.words)}", _clean(note))

    def _metrics(self) -> Iterator[str]:
        printed = self.script.printed
        if printed.how in ("report", "json"):
            what = "hpsearch.report" if printed.how == "report" else "lines of JSON"
            yield noted('metrics = "json-lines"', f"guess: the program has {what}")
        elif printed.how == "line":
            pattern = printed.pattern
            quoted = f"'{pattern}'" if "'" not in pattern and pattern.isprintable() else ""
            missing = self.metric is not None and self.metric not in printed.names
            if missing:
                self.todo.append(f"a pattern with the metric {self.metric}")
            yield (
                f"# {TODO}: no such metric in this line"
                if missing
                else ("# guess: a line that the program prints")
            )
            yield f"metrics = {{ pattern = {quoted or toml_value(pattern)} }}"
        else:
            self.todo.append("how the program reports its metrics")
            yield f'# {TODO}: "json-lines" for a line such as {{"epoch": 1, "val_acc": 0.9}}, or'
            yield f'# {PATTERN}, or {{ csv = "log.csv" }}'
            yield f'metrics = "{TODO}"'
        if not self.metric:
            self.todo.append("the metric of the objective")

    def _folds(self, fold: Option) -> str:
        n, why = n_folds(self.script.line.options, fold)
        if not n:
            note = f"how many folds {fold.shown} selects from; without it, all trials run fold 0"
            return noted("# folds = 5", _clean(note))
        return noted(f"folds = {n}", _clean(f"guess, from {why}: runs of every configuration"))

    def _test(self) -> str:
        flags = [o.flag for o in self.script.line.options if o.name in EVALUATES and o.flag]
        words = [*self.script.words, *(flags[:1] or ["--evaluate"]), "{checkpoint}"]
        return toml_value(words)

    def _space(self) -> Iterator[str]:
        yield "[space]  # a plain value is fixed; { low, high } and { choices } are searched"
        yield 'trainer = "program"'
        searched = [guess for guess in self.guesses if guess.role == "search"]
        if not searched:
            self.todo.append("what is searched")
            yield (
                f"# {TODO}: no option looks like one to search; for an option of the command, "
                "write:"
            )
            yield "# lr = { low = 1e-4, high = 0.1, log = true }"
        for guess in searched:
            yield noted(f"{guess.key} = {guess.value}", _clean(f"guess: {guess.note}"))

    def _stages(self) -> Iterator[str]:
        guess = self.roles.get("epochs")
        if guess is None:
            yield ""
            yield (
                "# No option sets the training length: each trial is one complete run, counted as "
                "one epoch."
            )
            yield from ("[[stages]]", f"trials = {TRIALS[0]}", "epochs = 1")
            return
        default = guess.option.default
        flag = _clean(guess.option.shown)
        why = f"the default of {flag}" if _length(default) else f"a guess: {flag} has no default"
        stages = _lengths(_length(default)) if _length(default) else STAGES
        for place, (trials, epochs) in enumerate(stages):
            yield from ("", "[[stages]]", f"trials = {trials}")
            last = place == len(stages) - 1
            yield noted(f"epochs = {epochs}", why if last else f"for {flag}: a short training")


def _length(default: object) -> int:
    """A default as a number of epochs; 0 where it is none."""
    if isinstance(default, bool) or not isinstance(default, int | float):
        return 0
    return int(min(default, LARGEST)) if default >= 1 else 0


def _lengths(epochs: int) -> Sequence[tuple[int, int]]:
    """A short stage and one of the full length, where there is room for both."""
    if epochs < 3:
        return ((TRIALS[0], epochs),)
    return tuple(zip(TRIALS, (epochs // 3, epochs), strict=True))


def _listed(words: Sequence[str | tuple[str, ...]]) -> str:
    """Elements of a list, each with its comma."""
    return " ".join(f"{toml_value(word)}," for word in words)


def _clean(text: str) -> str:
    """A program's words as a comment may have them: one line that can be printed."""
    line = " ".join(text.split())
    line = "".join(c for c in line if c.isprintable())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
