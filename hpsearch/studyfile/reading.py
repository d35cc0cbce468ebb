"""Reading a study file: every mistake found, each with its key, the rule and the nearest name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hpsearch.datasets.selection import Selection, open_pool, open_test
from hpsearch.errors import StudyFileError
from hpsearch.execution.population import training_data
from hpsearch.hyperparameters import build
from hpsearch.nn import NETWORKS
from hpsearch.studyfile.arms import SHOTS, Arm, make_arms
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.schema_problems import translate
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.study_file import Data, Stage, StudyFile
from hpsearch.studyfile.tables.budget_checks import budget_mistakes
from hpsearch.studyfile.tables.compare import compare_mistakes, shots_of
from hpsearch.studyfile.tables.data_checks import open_own, task_mistakes
from hpsearch.studyfile.tables.enqueue import enqueue_mistakes
from hpsearch.studyfile.tables.objectives_checks import (
    follow_objectives,
    metric_mistakes,
    objective_mistakes,
)
from hpsearch.studyfile.tables.protocol import follow_protocol
from hpsearch.studyfile.tables.pruner_checks import pruner_mistakes
from hpsearch.studyfile.tables.questions import question_mistakes
from hpsearch.studyfile.tables.sampler_checks import sampler_mistakes
from hpsearch.studyfile.tables.space import read_space, trainers_of
from hpsearch.studyfile.tables.warm_start_checks import warm_start_mistakes
from hpsearch.trainers import look_first_in


@dataclass(frozen=True)
class ReadStudy:
    """A study file, read and found valid.

    Attributes:
        path: where it lies; user modules are looked for beside it.
        text: as written.
        file: as understood, overrides included.
        space: its search space.
        arms: what it compares, each with its part of the space and its data; one, if nothing.
    """

    path: Path
    text: str
    file: StudyFile
    space: Space

    def arm_of(self, trial: int) -> Arm:
        """The arm that the trial of this number belongs to."""
        return next(arm for arm in self.arms if arm.holds(trial))

    @property
    def folder(self) -> Path:
        """Where its paths and modules start."""
        return self.path.resolve().parent

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        return make_arms(self.file.compare, self.space, self.selection, shots_of(self.file.space))

    @property
    def selection(self) -> Selection:
        """The data, with absolute paths."""
        selection = self.file.data.selection(self.file.seed, self.folder)
        return replace(selection, train_scored=self.file.evaluation.train_images)


def read_study(path: Path, overrides: Sequence[str] = ()) -> ReadStudy:
    """Read and validate a study file in full.

    Args:
        path: a TOML file.
        overrides: "key.path=value", the value as in TOML; a text needs no quotes.

    Raises:
        StudyFileError: with one line for every mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StudyFileError(f"{path} must be a readable study file, got: {reason}") from error
    return read_text(text, path, overrides)


def read_text(text: str, path: Path, overrides: Sequence[str] = ()) -> ReadStudy:
    """As `read_study`, of a text that would be the content of `path`; no file need be there.

    Raises:
        StudyFileError: with one line for every mistake.
    """
    try:
        said: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # wrong TOML, a number of 5000 digits, …
        raise StudyFileError(f"{path} must be valid TOML, got: {error}") from error
    for override in overrides:
        _override(said, override)
    look_first_in(str(path.resolve().parent))
    # A file that was changed since the last study of this process is read again.
    for cache in (open_pool, open_test, training_data):
        cache.cache_clear()
    mistakes, file, space = _validate(said, path.resolve().parent)
    if mistakes or file is None or space is None:
        lines = "\n".join(f"  {mistake}" for mistake in mistakes)
        noun = "mistake" if len(mistakes) == 1 else "mistakes"
        raise StudyFileError(f"{path} has {len(mistakes)} {noun}; nothing was started:\n{lines}")
    return ReadStudy(path, text, file, space)


def refuse_unfit(read: ReadStudy) -> None:
    """Open the data, and see that it is enough and that the network takes it.

    Raises:
        DataError: it is missing, or too small for the shots and splits.
        StudyFileError: the network can't be made for these inputs.
    """
    for arm in read.arms:
        examples = open_pool(arm.selection).examples
    fixed = read.space.fixed
    if "network" not in fixed or not any(
        kind.trainer.uses_network for kind in trainers_of(read.file.space).values()
    ):
        return
    try:
        described = build(NETWORKS[str(fixed["network"])], fixed)
        described.layers(examples.inputs.shape[1], examples.n_classes)
    except ValueError as error:
        raise StudyFileError(f"network.name: {error}; take another network or data set") from error


def _override(said: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise StudyFileError(
            f"--set must be key=value, got {override!r}; e.g. --set stages.0.trials=8"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text
    place: Any = said
    *path, last = (part.strip() for part in key.split("."))
    for part in path:
        place = (
            place.setdefault(part, {}) if isinstance(place, dict) else _item(place, part, override)
        )
    if isinstance(place, dict):
        place[last] = value
    else:
        _item(place, last, override)
        place[int(last)] = value


def _item(place: Any, part: str, override: str) -> Any:
    if isinstance(place, list) and part.isdigit() and int(part) < len(place):
        return place[int(part)]
    has = f"numbers 0 to {len(place) - 1}" if isinstance(place, list) else "no keys below it"
    raise StudyFileError(f"--set {override}: {part!r} must exist, got a value with {has}")


def _validate(
    said: dict[str, Any], folder: Path
) -> tuple[list[Mistake], StudyFile | None, Space | None]:
    """Every check whose tables are well-formed is made, so that all mistakes show at once."""
    mistakes = [*follow_objectives(said), *follow_protocol(said)]
    file, space, malformed = None, None, set()
    try:
        file = StudyFile.model_validate(said)
    except ValidationError as error:
        details = error.errors(include_url=False)
        if "objectives" in said:  # the first of them is validated twice
            details = [d for d in details if d["loc"][0] != "objective"] or details
        mistakes += list(dict.fromkeys(map(translate, details)))
        malformed = {str(detail["loc"][0]) for detail in details}
    if not malformed & {"space", "network"}:
        entries = {k: v for k, v in said["space"].items() if k != SHOTS}
        space, found = read_space(said.get("network", {}), entries)
        mistakes += found
        if space is not None and not malformed & {"compare", "data"}:
            mistakes += compare_mistakes(said, space)
    trainers = trainers_of(said["space"]) if isinstance(said.get("space"), dict) else {}
    of_the_task: list[Mistake] = []
    if not malformed & {"data", "seed"}:
        data = Data.model_validate(said["data"])
        found = [*_data_mistakes(data)]
        if not found:
            task, found = open_own(data, data.selection(said.get("seed", 0), folder))
        if not found:
            of_the_task = [*task_mistakes(data, task, trainers)]
        mistakes += found + of_the_task
    # What a trainer of the other task reports says nothing of the metric.
    if not of_the_task:
        mistakes += metric_mistakes(said, trainers)
    if "stages" not in malformed:
        mistakes += _stage_mistakes([Stage.model_validate(stage) for stage in said["stages"]])
    if file is not None:
        mistakes += [*objective_mistakes(file), *budget_mistakes(file), *pruner_mistakes(file)]
        mistakes += [*question_mistakes(file, folder), *warm_start_mistakes(file)]
    of_arms = ("compare", "space", "data")
    if (
        file is not None
        and space is not None
        and not any(mistake.key.startswith(of_arms) for mistake in mistakes)
    ):
        arms = make_arms(
            file.compare, space, file.data.selection(file.seed, folder), shots_of(file.space)
        )
        found = [*enqueue_mistakes(file, space, arms)]
        mistakes += found
        mistakes += [] if mistakes else sampler_mistakes(file, arms)
    return mistakes, file, space


def _data_mistakes(data: Data) -> Iterator[Mistake]:
    split = data.split
    if split.kind == "fixed":
        for key, bounds in (("train", split.train), ("validation", split.validation)):
            if bounds is not None and bounds[0] >= bounds[1]:
                yield Mistake(
                    f"data.split.{key}",
                    f"must be [first, last) with first below last, got {bounds}",
                )
        train, validation = split.train, split.validation
        if train and max(train[0], validation[0]) < min(train[1], validation[1]):
            yield Mistake(
                "data.split.validation", f"must not overlap train {train}, got {validation}"
            )
    elif (
        split.kind in ("k-fold", "repeated-k-fold")
        and data.shots is not None
        and split.folds > data.shots
    ):
        yield Mistake(
            "data.split.folds", f"must be at most the {data.shots} shots, got {split.folds}"
        )
    elif split.kind == "hold-out" and data.shots == 1:
        yield Mistake(
            "data.shots", "must be at least 2 with a hold-out split inside the shots, got 1"
        )


def _stage_mistakes(stages: list[Stage]) -> Iterator[Mistake]:
    if stages[0].controls:
        yield Mistake(
            "stages.0.controls",
            f"must be 0: there is no stage before they could come from, got {stages[0].controls}",
        )
    for number, (earlier, later) in enumerate(pairwise(stages), start=1):
        if later.epochs <= earlier.epochs:
            yield Mistake(
                f"stages.{number}.epochs",
                f"must be above the {earlier.epochs} of the stage before, got {later.epochs}",
            )
        promoted = round(later.trials * later.promote)
        if promoted > earlier.trials:
            yield Mistake(
                f"stages.{number}.trials",
                f"must promote at most the {earlier.trials} trials of the stage before, "
                f"got {promoted}",
            )
        elif promoted + later.controls > earlier.trials:
            yield Mistake(
                f"stages.{number}.controls",
                f"must be at most the {earlier.trials - promoted} trials of the stage before that "
                f"are not promoted, got {later.controls}",
            )
