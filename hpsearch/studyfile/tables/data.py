"""The [data] table of a study file: which examples, how they are split, and what they predict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_type_hints

from pydantic import Field, create_model, field_validator

from hpsearch.datasets import DATASETS
from hpsearch.datasets.csv_format import MISSING, CsvFormat
from hpsearch.datasets.selection import Selection, open_pool
from hpsearch.datasets.split_kinds import SPLITS, HoldOut, Range, Split
from hpsearch.datasets.table import ENDINGS, NUMBERS, TableOptions
from hpsearch.datasets.table_columns import KINDS
from hpsearch.errors import DataError, Problem, StudyFileError, closest
from hpsearch.studyfile.entries import trainer_names
from hpsearch.studyfile.tables.base import Facts, Table
from hpsearch.studyfile.tables.data_weights import class_problems
from hpsearch.trainers import Task, TrainerKind, is_program, takes_data

AS_NEEDED = "data.split.folds_as_needed"
# TOML has lists for tuples.
RangeList = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2)]
IN_TOML: dict[Any, Any] = {Range: RangeList, Range | None: RangeList | None}


class SplitTable(Table):
    """The keys of `data.split` of one kind, read from the kind's class."""

    kind: str

    def made(self) -> Split:
        """The split that it describes."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
        return SPLITS[self.kind](**tuples)

    @property
    def of_rows(self) -> dict[str, Any]:
        """Its keys, without the one that has no part in which rows are where."""
        return self.model_dump(mode="json", exclude={"folds_as_needed"})


def split_table(cls: type[Split]) -> type[SplitTable]:
    """The table of a kind of split."""
    hints = get_type_hints(cls)
    keys: dict[str, Any] = {"kind": (Literal[cls.kind], ...)}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        default = ... if field.default is dataclasses.MISSING else field.default
        kind = IN_TOML.get(hints[field.name], hints[field.name])
        keys[field.name] = (kind, Field(default, **field.metadata))
    return create_model(cls.__name__, __base__=SplitTable, __doc__=cls.__doc__, **keys)


SPLIT_TABLES = {kind: split_table(cls) for kind, cls in SPLITS.items()}
if TYPE_CHECKING:
    AnySplit = SplitTable
else:
    AnySplit = Annotated[reduce(or_, SPLIT_TABLES.values()), Field(discriminator="kind")]


class Csv(Table):
    """The format of a CSV file; keys that are left out are detected if that is safe."""

    note_in_template = None

    separator: str | None = Field(
        default=None, min_length=1, max_length=1, description="the character between cells"
    )
    decimal: Literal[".", ","] | None = Field(default=None, description="the decimal mark")
    thousands: Literal["", ",", ".", "'", " ", "_"] | None = Field(
        default=None, description='the separator between groups of three digits; "": none'
    )
    encoding: str | None = Field(
        default=None, description="the encoding of the file, e.g. latin-1"
    )
    missing: list[str] | None = Field(
        default=None,
        description="texts that mean a missing value, beside the empty cell; default: "
        + ", ".join(MISSING),
    )

    def made(self) -> CsvFormat:
        """The format that it describes."""
        missing = None if self.missing is None else tuple(self.missing)
        return CsvFormat(self.separator, self.decimal, self.thousands, self.encoding, missing)


class Data(Table):
    """The data to learn from."""

    note_in_template = None

    name: str = Field(
        description="a named data set, or the path of a CSV or Parquet file, or of a folder with "
        "idx files or files in CIFAR-10's binary format; relative paths start at the study file's "
        "folder"
    )
    target: str | None = Field(default=None, description="the column of a table to predict")
    task: Literal["classification", "regression"] | None = Field(
        default=None,
        description="default: regression if the target has decimals, otherwise classification",
    )
    columns: Literal["auto", "numbers"] | dict[str, str] = Field(
        default="auto",
        description="the kinds of a table's columns: auto detects them; a table overrides the "
        f"detected kinds ({', '.join(KINDS)}); numbers: all columns are numbers without missing "
        "values, and they are not preprocessed",
    )
    drop: list[str] = Field(default_factory=list, description="columns that are not inputs")
    csv: Csv = Csv()
    date_format: str | None = Field(
        default=None, description='the format of dates, e.g. "%d/%m/%Y"; default: detected'
    )
    test: str | None = Field(default=None, description="a file with the test rows")
    test_fraction: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="fraction of a table's rows set aside as the test set if there is no file for "
        "it; default: a fifth",
    )
    weight: str | None = Field(
        default=None,
        description="a column of a table with the weight of each row in training and in scores, 0 "
        "or more; it is not an input",
    )
    class_weight: Literal["balanced"] | None = Field(
        default=None, description="balanced: every class has the same weight in training"
    )
    positive: bool | int | str | None = Field(
        default=None,
        description="the positive class of a table with two classes, for scores such as f1; "
        "default: the second in sorted order",
    )
    shots: int | None = Field(
        default=None, ge=1, le=2**31, description="images per class; default: all"
    )
    draw: Literal["random", "first"] = Field(
        default="random",
        description="draw shots at random with the seed, or take the first of each class",
    )
    split: AnySplit = SPLIT_TABLES[HoldOut.kind](kind=HoldOut.kind)

    @field_validator("positive", mode="before")
    @classmethod
    def _a_class(cls, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | str):
            return value
        raise ValueError('must be the name of a class, e.g. "yes" or 1')

    def selection(self, seed: int, folder: Path = Path()) -> Selection:
        """The description that travels to the workers; paths start at `folder`."""
        return Selection(
            name=self.name if self.name in DATASETS else str(folder.absolute() / self.name),
            shots=self.shots,
            draw=self.draw,
            split=self.split.made(),
            seed=seed,
            balanced=self.class_weight is not None,
            table=TableOptions(
                target=self.target,
                test=None if self.test is None else folder.absolute() / self.test,
                test_fraction=self.test_fraction,
                task=self.task,
                columns=self.columns
                if isinstance(self.columns, str)
                else tuple(self.columns.items()),  # type: ignore[arg-type]  # checked when read
                drop=tuple(self.drop),
                csv=self.csv.made(),
                date_format=self.date_format,
                weight=self.weight,
            ),
        )

    @property
    def prepared(self) -> bool:
        """Whether it is a table whose columns are prepared for a trainer."""
        return self.name.endswith(ENDINGS) and self.columns != NUMBERS

    @property
    def n_splits(self) -> int:
        """Splits that every configuration is trained on."""
        return self.split.made().n_splits

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for data in tables.values():
            yield from data.split.made().check(data.shots)

    def problems(self, facts: Facts) -> Iterator[Problem]:
        if not self.split.made().as_needed:
            return
        for there, what in (
            (facts.pruned, "[pruner], which ends trials by the scores of all folds"),
            (facts.n_objectives > 1, "several objectives"),
            (facts.constrained, "[[constraints]], which rank trials beside their scores"),
        ):
            if there:
                rule = f"must be left out beside {what}"
                yield Problem(AS_NEEDED, rule, "true")


def data_missing(said: Mapping[str, Any]) -> Iterator[Problem]:
    """That [data] is missing where a trainer needs it, or there where a function takes none."""
    entries = said.get("space")
    names = trainer_names(entries) if isinstance(entries, Mapping) else None
    takers = [n for n in names or () if not is_program(n) and _takes_data(str(n))]
    if "data" not in said and (takers or not names):
        whom = f" for {takers[0]}" if takers else ""
        yield Problem("data", f'is missing{whom}; write [data] with name = "digits"')
    for name in names or () if "data" in said else ():
        if ":" in str(name) and not _takes_data(str(name)):
            function = str(name).partition(":")[2]
            hint = f"leave [data] out, or write def {function}(params, data, seed)"
            yield Problem("data", f"must be left out: {name} takes none", hint=hint)


def _takes_data(trainer: str) -> bool:
    try:
        return takes_data(trainer)
    except StudyFileError:  # there is no such function, which [space] is told
        return True


OF_TABLES = (
    *("target", "task", "test", "test_fraction", "weight", "positive"),
    *("columns", "drop", "date_format"),
)


def open_own(data: Data, selection: Selection) -> tuple[Task, list[Problem]]:
    """What is predicted, and what is wrong with files of the user's own; others wait their turn.

    The test rows of a table are looked through for values that would end the study at its end.
    """
    if data.name in DATASETS:
        own = [f"data.{key}" for key in OF_TABLES if getattr(data, key) not in (None, [], "auto")]
        own += ["data.csv"] if data.csv != Csv() else []
        own += [selection.split.column.key] if selection.split.column else []
        rule = f"must be left out: it is for tables, and {data.name} is not a table"
        return "classification", [Problem(key, rule) for key in own]
    for key, path in (("data.name", Path(selection.name)), ("data.test", selection.table.test)):
        if path is not None and not path.exists():
            return "classification", [_nothing_at(key, path)]
    try:
        pool = open_pool(selection)
        selection.dataset().test()
    except DataError as error:
        return "classification", [error.problem or Problem("data", str(error))]
    examples = pool.examples
    problems = [*class_problems(data.positive, data.class_weight, examples)]
    return "regression" if examples.regression else "classification", problems


def _nothing_at(key: str, path: Path) -> Problem:
    named = list(DATASETS) if key == "data.name" else []
    beside = [found.name for found in path.parent.iterdir()] if path.parent.is_dir() else []
    kinds = ["a CSV or Parquet file", *(["a folder of idx or CIFAR-10 files"] if named else [])]
    return Problem(
        key,
        f"must be one of {', '.join([*named, *kinds])}",
        f"nothing at {str(path)!r}",
        nearest=closest(path.name, [*named, *beside]),
    )


def task_problems(
    data: Data, task: Task, trainers: Mapping[str, TrainerKind]
) -> Iterator[Problem]:
    """What is wrong with trainers that predict the other thing than the data has."""
    other = "classification" if task == "regression" else "regression"
    what = {"regression": "numbers", "classification": "classes"}
    example = {"regression": "sklearn.linear_model.Ridge", "classification": "sklearn.svm.SVC"}
    way_out = "" if data.target is None else f', or set data.task = "{other}"'
    for name, kind in trainers.items():
        if kind.task not in (task, None):
            yield Problem(
                "space.trainer",
                f"must predict {what[task]}, as {(data.target or data.name)!r} holds them",
                f"{name!r} for {what[other]}",
                f"name one such as {example[task]}{way_out}",
            )
