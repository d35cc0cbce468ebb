"""A program of a user's own as a trainer: any command that prints its metrics."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import time
import weakref
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from hpsearch.errors import TrialFailed
from hpsearch.processes import GPU_SLOT, temporary_folder
from hpsearch.records.layout import OURS
from hpsearch.trainers.base import (
    EVERY_EPOCH,
    Around,
    Member,
    Progress,
    Schedule,
    Trainer,
    TrainingData,
)
from hpsearch.trainers.commands import Command, Program, filled
from hpsearch.trainers.programs.folder_archive import TooLarge, packed, unpack
from hpsearch.trainers.programs.metric_lines import MetricError, MetricReader, as_toml
from hpsearch.trainers.programs.program_log import ProgramLog, ProgramOutput, cut_lines
from hpsearch.trainers.programs.program_process import (
    POLL_SECONDS,
    ProgramProcess,
    end_noted,
    ended_by,
    problem_of,
    was_cut,
)
from hpsearch.trainers.programs.program_start import (
    PARAMS,
    SENT,
    argv_of,
    environment_of,
    note_of_runs,
    params_text,
    values_of,
)

OUTPUT, TEST_OUTPUT = ("out", "err"), ("test.out", "test.err")
NOTE = "process.json"
TEST_COMMAND = "its test command"  # as messages call it
QUOTED = 5  # lines of stderr in a reason
QUOTED_CHARACTERS = 1000
OUT_OF_MEMORY = re.compile(
    r"(CUDA|HIP|MPS|GPU)[^\n]*out of memory|torch[\w.]*OutOfMemoryError"
    r"|RESOURCE_EXHAUSTED[^\n]*(out of memory|allocat)",
    re.I,
)


class ProgramFailed(TrialFailed):
    """A program ended with an exit code that says so."""


class ProgramTrainer(Trainer):
    """Runs a program to the length that is asked for, and reads the metrics that it prints.

    A program with a checkpoint goes on from it when its trial continues; another one starts anew,
    and the epochs that are known are passed over. What it prints goes to files in its folder, so
    that nothing is lost where this process is killed.

    A member without a folder, on Dask, gets one on the machine that trains it, and its states
    bring the files in it.

    In the final test it is run to the last epoch, unscored, and then its `test` command is.
    """

    components: ClassVar[tuple[type, ...]] = ()
    exact_state: ClassVar[bool] = False
    pausable = False

    def __init__(self, members: Sequence[Member], data: TrainingData, *, n_epochs: int) -> None:
        (self._member,) = members
        assert self._member.program is not None
        self._program: Program = self._member.program
        self._name = str(self._member.params["trainer"])
        self._n_epochs, self._final = n_epochs, data.final
        self._travels = not self._member.folder
        if self._travels:
            place = temporary_folder()
            weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
            self._member = replace(self._member, folder=place)
        sent = SENT.get((self._program.workdir, self._program.files))
        if sent is not None:
            self._program = replace(self._program, workdir=sent)
            self._member = replace(self._member, program=self._program)
        self._folder = Path(self._member.folder)
        self._own = self._folder / OURS
        self._reported, self._ended, self._ended_until = 0, 0, 0
        self._has_one_line = self._counts = False
        self._last: dict[str, float] | None = None
        self._names: list[str] | None = None
        self._logged = (0, 0)
        self._printed: ProgramOutput | None = None
        self._log = ProgramLog(int(self._program.log_mb * 1e6))
        if self._member.state is not None:
            header, _, files = self._member.state.partition(b"\n")
            saved = json.loads(header)
            if files and self._travels:
                unpack(files, self._folder)
            self._reported, self._ended = saved["epoch"], saved["ended"]
            self._last, self._names = saved["last"], saved["names"]
            self._logged = (saved["logged"][0], saved["logged"][1])
            self._ended_until = saved["ended_until"]
        self._deadline = math.inf

    def try_start(self, until: int, seconds: float) -> None:
        """Start the program, and end it when it has printed a metric, or after this time.

        Raises:
            TrialFailed: it can't be started, ended with an error, or without a metric.
        """
        self._deadline = time.monotonic() + seconds
        command = self._program.command
        with closing(self._printed_by(command, until, self._ready())) as printed:
            row = next(printed, None)
        if row is None and time.monotonic() <= self._deadline:
            raise TrialFailed(self._silent(command))

    def try_test(self, seconds: float) -> bool:
        """Train for an epoch and score what that left, as in the final test; no score is kept.

        Args:
            seconds: that the training may take, and the test too; then it is ended.

        Returns:
            Whether there was time for both.

        Raises:
            ProgramFailed: one of them ended with an error.
            TrialFailed: one of them can't be started, or printed no metric.
        """
        self._deadline = time.monotonic() + seconds
        with closing(self._printed_by(self._program.command, 1, self._ready())) as printed:
            any_printed = sum(1 for _ in printed) > 0
        if time.monotonic() > self._deadline:
            return False
        if not any_printed:
            raise TrialFailed(self._silent(self._program.command))
        self._deadline = time.monotonic() + seconds
        try:
            self._tested(1)
        except TrialFailed:
            if time.monotonic() <= self._deadline:
                raise
        return time.monotonic() <= self._deadline

    def run(
        self, until: int, schedule: Schedule = EVERY_EPOCH, around: Around = nullcontext
    ) -> Iterator[Progress]:
        epoch = self._reported
        if self._ended and until > self._ended_until:
            self._ended = 0  # of another length it may make more
        if not self._ended:
            for reached, metrics in self._trained(until):
                for between in range(epoch + 1, reached + 1):
                    self._reported = between
                    due = schedule.due(between, until) and between == reached
                    yield _progress(between, metrics if due and not self._final else {})
                epoch = max(epoch, reached)
        if self._final and epoch < until:
            self._last = self._tested(until)
        for left in range(epoch + 1, until + 1):
            self._reported = left
            due = schedule.due(left, until)
            assert self._last is not None
            yield _progress(left, self._last if due else {})

    def _trained(
        self, until: int, *, once_more: bool = True
    ) -> Iterator[tuple[int, dict[str, float]]]:
        """Epochs beyond those that are known, with their metrics, as the program prints them.

        The last one comes when the program has ended: it may save what it learned after that.

        Args:
            once_more: start it anew where metrics are lost. A kill may come after it saved an
                epoch and before it printed that: it then goes on behind it.
        """
        last: tuple[int, dict[str, float]] | None = None
        overran = lost = False
        stride = math.inf  # the most epochs between two lines so far
        held: tuple[int, dict[str, float]] | None = None
        files = self._ready()
        cut = was_cut(self._own / NOTE)
        with closing(self._printed_by(self._program.command, until, files)) as printed:
            for epoch, metrics in printed:
                overran = epoch > until
                if overran:
                    break  # it does not keep to the length, and is ended here
                before = 0 if last is None else last[0]
                if last is not None and epoch <= before:
                    continue
                lost = cut and epoch - before > stride
                if lost and once_more:
                    break
                stride = epoch - before if last is None else max(stride, epoch - before)
                self._check_names(metrics)
                if held is not None:
                    yield held
                    held = None
                last = (epoch, metrics)
                if self._reported < epoch < until:
                    if before or not self._counts:
                        yield last
                    else:
                        held = last  # it may be the only line, and stand for the whole training
        if not overran and (last is None or last[0] < until):
            lost = lost or cut or (last is None and self._last is not None)
        if lost and once_more and self._program.checkpoint is not None:
            self._forget()
            yield from self._trained(until, once_more=False)
            return
        if last is None:
            raise TrialFailed(self._silent(self._program.command))
        if overran:
            (self._own / NOTE).unlink(missing_ok=True)  # as it was to end
        self._last = last[1]
        if self._has_one_line and last[0] < until:
            last, held = (until, last[1]), None
        if held is not None:
            yield held
        if last[0] < until and not overran:
            self._ended, self._ended_until = last[0], until
        if last[0] == until > self._reported and not self._final:
            yield last

    def _check_names(self, metrics: Mapping[str, float]) -> None:
        self._names = self._names or list(metrics)
        if {*metrics} != {*self._names}:
            raise TrialFailed(
                f"{self._name} must print the same metrics every epoch, got {', '.join(metrics)} "
                f"after {', '.join(self._names)}"
            )

    def _silent(self, command: Command) -> str:
        """That nothing was printed which could be scored."""
        wanted = " or ".join(self._program.metrics)
        example = {
            "json-lines": f'a line such as {{"epoch": 1, "{self._program.metrics[0]}": 0.9}}',
            "pattern": f"a line that metrics.pattern = {as_toml(self._program.source)} finds",
            "csv": f"a row of {self._program.source} with a value in that column",
        }[self._program.form]
        return (
            f"{self._named(command)} must print {wanted}, got exit code 0 and no line with it: "
            f"print {example}{self._quoted()}"
        )

    def _named(self, command: Command) -> str:
        """What a command of the program is called in a message."""
        return TEST_COMMAND if command is self._program.test else self._name

    def _tested(self, until: int) -> dict[str, float]:
        """What the command that scores on test data prints, the last line of it."""
        command = self._program.test
        assert command is not None
        for name in TEST_OUTPUT:
            (self._own / name).unlink(missing_ok=True)
        rows = [metrics for _, metrics in self._printed_by(command, until, TEST_OUTPUT)]
        if not rows:
            raise TrialFailed(self._silent(command))
        return rows[-1]

    def _ready(self) -> tuple[str, str]:
        """See to it that the folder holds what the program may find; names of output files."""
        end_noted(self._own / NOTE)
        if self._program.checkpoint is None:
            self._forget()
        self._own.mkdir(parents=True, exist_ok=True)
        return OUTPUT

    def _forget(self) -> None:
        """Empty the folder: what is started anew is to find nothing of before."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._own.mkdir(parents=True, exist_ok=True)
        self._logged = (0, 0)

    def _printed_by(
        self, command: Command, until: int, files: tuple[str, str]
    ) -> Generator[tuple[int, dict[str, float]]]:
        """Epoch and metrics of each metric line that a command prints, from the first one on.

        Raises:
            TrialFailed: it can't be started, ends with an error, or prints what is no metric.
        """
        program, resumes = self._program, files is OUTPUT and self._program.checkpoint is not None
        values = values_of(
            self._member,
            until=until,
            n_epochs=self._n_epochs,
            gpu=os.environ.get(GPU_SLOT, ""),
        )
        (self._folder / PARAMS).write_text(params_text(values))
        out, err = (self._own / name for name in files)
        table, form = None, program.form
        if form == "csv" and files is TEST_OUTPUT:
            form = "json-lines"  # the file has the training's metrics
        if form == "csv":
            table = self._folder / filled(program.source, values)
        cut_lines([out, err] if table is None or not resumes else [out, err, table])
        argv = argv_of(program, command, values)
        environment = environment_of(program, self._folder, self._member.purpose)
        problem = problem_of(argv, program.workdir, environment)
        which = self._named(command)
        if problem:
            raise TrialFailed(f"{which} can't be started: {problem}")
        try:
            process = ProgramProcess(
                argv,
                workdir=program.workdir,
                env=environment,
                out=out,
                err=err,
                note=self._own / NOTE,
            )
        except OSError as error:
            raise TrialFailed(f"{which} can't be started: {error}") from None
        reader = MetricReader(
            form,
            program.source,
            program.metrics,
            program.first_epoch,
            names_epochs=resumes,
            ignores_epochs=files is TEST_OUTPUT,
        )
        printed = ProgramOutput(
            process,
            out=out,
            err=err,
            table=table,
            reader=reader,
            log=self._log,
            logged=self._logged if files is OUTPUT else (0, 0),
        )
        if files is OUTPUT:
            self._printed = printed
        try:
            yield from self._followed(process, printed, reader, which)
        except MetricError as error:
            raise TrialFailed(f"{which} {error}") from None
        finally:
            process.end()
            printed.leave()
            self._log.close(note_of_runs(str(self._folder)))
            if files is OUTPUT:
                self._logged, self._printed = printed.logged, None

    def _followed(
        self, process: ProgramProcess, printed: ProgramOutput, reader: MetricReader, which: str
    ) -> Iterator[tuple[int, dict[str, float]]]:
        """What a running program prints, to its end.

        Args:
            which: what its command is called in a message.

        Raises:
            TrialFailed: it ended with an error.
            MetricError: it prints what is no metric.
        """
        code, deadline = None, self._deadline
        while code is None:
            code = process.wait(POLL_SECONDS)
            for row in printed.rows():
                self._counts = reader.counts
                yield row
            if code is None and time.monotonic() > deadline:
                return
        process.end()  # what it left behind prints no more
        yield from printed.rest()
        if code != 0:
            raise self._failure(code, which)
        yield from reader.end()
        self._has_one_line = reader.has_one_line
        printed.end_lines()
        process.settle()

    def _failure(self, code: int, which: str) -> TrialFailed:
        """Why a program failed, with the last lines that it wrote to stderr."""
        quoted = self._quoted()
        if code in (126, 127) and self._program.shell:
            return TrialFailed(f"{which} can't be started by the shell{quoted}")
        if OUT_OF_MEMORY.search(self._log.end_of_errors):
            reason = f"{which} ran out of GPU memory{quoted}"
            return TrialFailed(reason, limit="gpu_memory")
        # From outside: no program does it to itself. A shell in between says 128 + 9.
        lost = code in (-signal.SIGKILL, 128 + signal.SIGKILL)
        return ProgramFailed(f"{which} {ended_by(code)}{quoted}", lost=lost)

    def _quoted(self) -> str:
        """The last lines of stderr."""
        lines = [line for line in self._log.end_of_errors.splitlines() if line.strip()]
        text = "\n".join(lines[-QUOTED:])[-QUOTED_CHARACTERS:]
        shown = "".join(sign if sign.isprintable() or sign == "\n" else "·" for sign in text)
        return f"; stderr:\n{shown}" if shown else ""

    def printed(self, row: int) -> str:
        return self._log.text()

    def ended(self, row: int) -> int:
        return self._ended

    def state(self, row: int) -> bytes | None:
        header = {
            "epoch": self._reported,
            "ended": self._ended,
            "ended_until": self._ended_until,
            "last": self._last,
            "names": self._names,
            "logged": self._logged if self._printed is None else self._printed.logged,
        }
        return json.dumps(header).encode() + (b"\n" + self._packed() if self._travels else b"")

    def _packed(self) -> bytes:
        """Its folder, for whichever machine goes on with it."""
        most = self._program.checkpoint_mb
        try:
            return packed(self._folder, most)
        except TooLarge as error:
            raise TrialFailed(
                f"{self._name} must leave at most checkpoint_mb = {most:g} MB in its folder on "
                f"Dask, got {error.megabytes:.1f} MB: raise it, or name a folder that all workers "
                'share, shared = "/…"'
            ) from None


def files_in(state: bytes | None) -> bytes:
    """The folder that a state of a program brings; b"" where it brings none."""
    return b"" if state is None else state.partition(b"\n")[2]


def _progress(epoch: int, metrics: Mapping[str, float]) -> Progress:
    values = {name: np.array([value]) for name, value in metrics.items()}
    return Progress(epoch, values, np.array([False]))
