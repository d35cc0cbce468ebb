"""What a program of a user's own prints, on its way to the trial's log and to its metrics."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

from hpsearch.trainers.programs.metric_lines import MetricReader
from hpsearch.trainers.programs.program_process import MOST_UNREAD, Output, ProgramProcess

TAIL = 4000  # bytes of the end of an output that is cut
CHUNKS = 32  # that are read in one go; then the program's end is looked at
Row = tuple[int, dict[str, float]]


class ProgramLog:
    """What a program printed, up to a length, and then the end of it.

    Args:
        most: bytes that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most, self._kept, self._cut = most, 0, 0
        self._parts: list[bytes] = []
        self._tail = self._errors = b""

    @property
    def end_of_errors(self) -> str:
        """The last of what went to stderr."""
        return self._errors.decode("utf-8", "replace")

    def take(self, content: bytes, *, errors: bool) -> None:
        """Take what came since the last time.

        Args:
            errors: it went to stderr.
        """
        if errors:
            self._errors = (self._errors + content[-TAIL:])[-TAIL:]
        kept = content[: max(0, self._most - self._kept)]
        self._kept += len(kept)
        if kept:
            self._parts.append(kept)
        if len(kept) < len(content):
            rest = content[len(kept) :]
            self._cut += len(rest)
            self._tail = (self._tail + rest[-TAIL:])[-TAIL:]

    def close(self, note: str) -> None:
        """The program ended: say what was left out, and add this."""
        if self._cut:
            cut = self._cut - len(self._tail)
            left_out = f"\n… ({cut} more bytes were printed; the last ones:)\n".encode()
            self._parts.append(left_out + self._tail + b"\n")
            self._cut, self._tail = 0, b""
        self._parts.append(note.encode())

    def text(self) -> str:
        """What is to go to the trial's log since the last time."""
        text = b"".join(self._parts).decode("utf-8", "replace")
        self._parts.clear()
        return text


class ProgramOutput:
    """The outputs of a running program, read as they grow.

    Args:
        process: the program.
        out, err: its stdout and stderr, which only it and this class write.
        table: a CSV file of its own with the metrics; None: they are on stdout.
        reader: of the metrics.
        log: takes what the log does not have yet.
        logged: bytes of stdout and stderr that it has.
    """

    def __init__(
        self,
        process: ProgramProcess,
        *,
        out: Path,
        err: Path,
        table: Path | None,
        reader: MetricReader,
        log: ProgramLog,
        logged: tuple[int, int],
    ) -> None:
        self._process, self._reader, self._log = process, reader, log
        self._out, self._err = Output(out), Output(err)
        self._table = None if table is None else Output(table)
        self._unlogged = min(logged[0], self._out.size())
        self._err.offset = min(logged[1], self._err.size())

    @property
    def logged(self) -> tuple[int, int]:
        """Bytes of stdout and stderr that the log has."""
        return max(self._out.offset, self._unlogged), self._err.offset

    def rows(self) -> Generator[Row]:
        """Of the metric lines since the last look; where there is much, of a part of it.

        Raises:
            MetricError: as `MetricReader.feed`.
        """
        for _ in range(CHUNKS):
            if not (yield from self._chunk()):
                return
            if max(self._out.offset, self._err.offset) > MOST_UNREAD:
                with self._process.stopped():
                    yield from self.rest()
                    self._empty()

    def rest(self) -> Generator[Row]:
        """Of all that is there; the program must have ended, or be stopped."""
        while (yield from self._chunk()):
            pass

    def leave(self) -> None:
        """Take what is left for the log alone."""
        while any(self._take()):
            pass

    def _chunk(self) -> Generator[Row, None, bool]:
        """Of a chunk of each output; whether there was any."""
        printed, errors = self._take()
        lines = printed if self._table is None else self._table.read()
        yield from self._reader.feed(lines)
        return bool(printed or errors or lines)

    def _take(self) -> tuple[bytes, bytes]:
        """A chunk of stdout and of stderr, which the log has now."""
        logged = max(0, self._unlogged - self._out.offset)
        printed, errors = self._out.read(), self._err.read()
        self._log.take(printed[logged:], errors=False)
        self._log.take(errors, errors=True)
        return printed, errors

    def _empty(self) -> None:
        """Throw away what was read, but for metric lines, which a restart must find again."""
        self._unlogged = 0
        self._out.keep(self._reader.raw_lines() if self._table is None else b"")
        self._err.keep(b"")

    def end_lines(self) -> None:
        """The program ended by itself: the next one begins on a line of its own."""
        for output in (self._out, self._err):
            output.end_line()


def cut_lines(paths: Iterable[Path]) -> None:
    """Take off lines that a kill cut, before a program goes on after them."""
    for path in paths:
        Output(path).cut_line()
