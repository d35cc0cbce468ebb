"""The metrics that a program of a user's own prints, read from its output."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hpsearch.hyperparameters import NAME, NAME_RULE

EPOCH = "epoch"
SHOWN = 200  # characters of a line in a message
LONGEST_LINE = 1_000_000  # bytes; what is longer is no metric line


class MetricError(ValueError):
    """A metric line says what can't be."""


@dataclass
class MetricReader:
    """Finds metric lines among what a program prints.

    Args:
        form, source: as of Program.
        wanted: metrics that make a line a metric line, one of them is enough.
        first_epoch: how the program counts its epochs.
        names_epochs: whether it must name them; else a line without is the next one's.
        ignores_epochs: each line is the next one's, whatever epoch it names, as in a test.

    Attributes:
        names: of the metrics, as the first metric line has them.
    """

    form: str
    source: str
    wanted: Sequence[str]
    first_epoch: int = 1
    names_epochs: bool = False
    ignores_epochs: bool = False
    names: list[str] | None = None
    _last: int = 0
    _counted: int = 0
    _header: list[str] | None = None
    _rest: bytes = b""
    _skipping: bool = False
    _raw: list[bytes] = field(default_factory=list)
    _pattern: re.Pattern[str] | None = field(default=None)

    def __post_init__(self) -> None:
        if self.form == "pattern":
            self._pattern = re.compile(self.source)

    def feed(self, content: bytes) -> Iterator[tuple[int, dict[str, float]]]:
        """Epoch, from 1, and metrics of each metric line that is complete by now.

        Raises:
            MetricError: a metric is no number, or metrics have other names than before.
        """
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            if not self._skipping and len(line) <= LONGEST_LINE:
                yield from self._line(line)
            self._skipping = False
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._skipping = b"", True

    @property
    def has_one_line(self) -> bool:
        """Whether one metric line came, and it named no epoch."""
        return self._counted == 1 == len(self._raw)

    @property
    def counts(self) -> bool:
        """Whether metric lines came that named no epoch."""
        return self._counted > 0

    def end(self) -> Iterator[tuple[int, dict[str, float]]]:
        """The same of a last line without its end."""
        line, self._rest = self._rest, b""
        if line and not self._skipping:
            yield from self._line(line)

    def raw_lines(self) -> bytes:
        """All metric lines so far, as they were printed, and the beginning of the next one."""
        return b"".join(line + b"\n" for line in self._raw) + self._rest

    def _line(self, line: bytes) -> Iterator[tuple[int, dict[str, float]]]:
        shown = line.strip().rpartition(b"\r")[2]  # what is left on a terminal
        if self.form == "json-lines" and not shown.lstrip().startswith(b"{"):
            return
        values = self._values(shown.decode("utf-8", "replace").strip())
        if values is None or not any(name in values for name in self.wanted):
            return
        epoch = self._epoch(values)
        metrics = {}
        for name, value in values.items():
            if name == EPOCH:
                continue
            number = _number(value)
            if number is not None:
                metrics[name] = number
            elif name in self.wanted or (self.names and name in self.names):
                raise MetricError(f"must print a number for the metric {name!r}, got {value!r}")
        self._check_names(metrics)
        assert self.names is not None
        self._raw.append(line)
        yield epoch, {name: metrics.get(name, math.nan) for name in self.names}

    def _epoch(self, values: Mapping[str, object]) -> int:
        if EPOCH not in values or self.ignores_epochs:
            self._last += 1
            self._counted += 1
            if self.names_epochs:
                raise MetricError(
                    "must print epoch with its metrics, because it resumes from a checkpoint, got "
                    f'a line without it: print {{"epoch": {self._last - 1 + self.first_epoch}, …}}'
                )
            return self._last
        number = _number(values[EPOCH])
        if number is None or not number.is_integer():
            raise MetricError(f"must print a whole number for epoch, got {values[EPOCH]!r}")
        epoch = int(number) + 1 - self.first_epoch
        if epoch < 1:
            raise MetricError(
                f"must count epochs from {self.first_epoch}, got {int(number)}: add one, or set "
                "first_epoch = 0 for it"
            )
        self._last = epoch
        return epoch

    def _values(self, line: str) -> Mapping[str, object] | None:
        if self.form == "json-lines":
            return _json(line)
        if self._pattern is not None:
            match = self._pattern.search(line)
            return None if match is None else {k: v for k, v in match.groupdict().items() if v}
        cells = next(csv.reader([line]), [])
        if self._header is None:
            self._header = [cell.strip() for cell in cells]
            return None
        if [cell.strip() for cell in cells] == self._header:
            return None  # it went on, and began with the header again
        return {
            name: cell for name, cell in zip(self._header, cells, strict=False) if cell.strip()
        }

    def _check_names(self, metrics: Mapping[str, float]) -> None:
        if self.names is None:
            for name in metrics:
                if not NAME.fullmatch(name):
                    raise MetricError(f"must name its metrics by {NAME_RULE}, got {name!r}")
            self.names = list(metrics)
            return
        missing = [name for name in self.names if name not in metrics]
        if self.form == "csv":
            return  # a cell may be empty
        if missing or len(metrics) != len(self.names):
            raise MetricError(
                f"must print the same metrics every epoch, got {', '.join(metrics) or 'none'} "
                f"after {', '.join(self.names)}"
            )


def as_toml(text: str) -> str:
    """A regular expression as it stands in a study file."""
    return json.dumps(text, ensure_ascii=False) if "'" in text else f"'{text}'"


def _json(line: str) -> Mapping[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _number(value: object) -> float | None:
    """A number of JSON, or of a text that was cut out of a line; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
