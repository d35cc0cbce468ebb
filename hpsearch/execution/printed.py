"""What a trainer prints: shown as it comes, and kept for the trial's log."""

from __future__ import annotations

import codecs
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

WARNED = 1000  # warnings of a slice that are counted
HEADLINE = 200  # characters of one by which it is known
LONGEST = 64 * 1024  # characters kept of a slice; a progress bar prints more than anyone reads


class PrintedText:
    """The text printed in a block, up to LONGEST characters and then what was left out."""

    def __init__(self) -> None:
        self._kept = io.StringIO()
        self._length, self._taken = 0, 0
        self._warned: list[str] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what Python code prints on stdout and stderr; it is still shown there.

        Warnings are kept and counted, and not shown: who counts them shows each once.
        """
        with (
            redirect_stdout(_Tee(sys.stdout, keeps=True)),
            redirect_stderr(_Tee(sys.stderr, keeps=True)),
            self._warnings_kept(),
        ):
            yield

    @contextmanager
    def _warnings_kept(self) -> Iterator[None]:
        with warnings.catch_warnings():
            pass  # Python forgets which warnings it has shown, so that each slice has its own
        _listeners.append(self)
        if warnings.showwarning is not _show_warning:
            _usual[:] = [warnings.showwarning]
            warnings.showwarning = _show_warning
        try:
            yield
        finally:
            _listeners.remove(self)
            if not _listeners and warnings.showwarning is _show_warning:
                warnings.showwarning = _usual[0]

    def keep_warning(self, text: str, headline: str) -> None:
        """Keep a warning as Python shows it, and the line by which it is known."""
        self.add(text)
        if len(self._warned) < WARNED:
            self._warned.append(headline)

    def add(self, text: str) -> None:
        """Keep a text, as far as there is room."""
        self._kept.write(encodable(text[: max(0, LONGEST - self._length)]))
        self._length += len(text)

    def put(self, text: str) -> None:
        """Keep a text whose length somebody else saw to."""
        self._kept.write(encodable(text))

    def take(self) -> str:
        """What was printed since this was called last; another thread may print meanwhile."""
        text = self._kept.getvalue()[self._taken :]
        self._taken += len(text)
        return text

    def take_warned(self) -> tuple[str, ...]:
        """The warnings since this was called last, each in a line."""
        warned = tuple(self._warned)
        del self._warned[: len(warned)]
        return warned

    def take_last(self) -> str:
        """The same, at the end: with a word on what there was no room for."""
        left_out = self._length - LONGEST
        note = f"\n… ({left_out} more characters were printed)\n" if left_out > 0 else ""
        return self.take() + note


@contextmanager
def hidden() -> Iterator[None]:
    """Hide what Python code prints, on streams that have all that the real ones have."""
    with (
        open(os.devnull, "w", encoding="utf-8", errors="backslashreplace") as nowhere,
        redirect_stdout(_Tee(nowhere, keeps=False)),
        redirect_stderr(_Tee(nowhere, keeps=False)),
    ):
        yield


def encodable(text: str) -> str:
    """The text with what UTF-8 can't have, e.g. bytes of a file's name, as Python writes it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_listeners: list[PrintedText] = []  # whose slices are under way in this process
_usual: list[Callable[..., None]] = [warnings.showwarning]  # what showed warnings before


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Stands for `warnings.showwarning`. A generator that a slice leaves in the middle of
    `catch_warnings` puts it back later; it does no harm then."""
    if file is not None or not _listeners:  # who names a file wants it there
        _usual[0](message, category, filename, lineno, file, line)
        return
    text = warnings.formatwarning(message, category, filename, lineno, line)
    first = next(iter(str(message).strip().splitlines()), "")
    _listeners[-1].keep_warning(text, f"{category.__name__}: {first[:HEADLINE]}")


class _Tee(io.TextIOBase):
    """Stands for a stream: has its encoding, file number and all else, and keeps what passes.

    Code may hold it for longer than a slice, e.g. in a handler of `logging` or in a progress bar.
    What it keeps goes to the slice that is under way.

    Args:
        keeps: False: it shows only.
    """

    def __init__(self, shown: TextIO, *, keeps: bool) -> None:
        self._shown, self._keeps = shown, keeps
        self._bytes = _BytesTee(self)

    def write(self, text: str) -> int:
        is_over = self._is_over()
        for under_way in _listeners[-1:]:  # another thread may end it meanwhile
            if self._keeps or is_over:
                under_way.add(text)
        return len(text) if is_over else self._shown.write(text)

    def _is_over(self) -> bool:
        """Whether nobody sees the stream any more: it was hidden, or its caller closed it."""
        return bool(getattr(self._shown, "closed", False))

    def detach(self) -> io.BufferedIOBase:  # type: ignore[override]
        """Where bytes are written; the stream stays usable, as it is everybody's."""
        return self._bytes

    def flush(self) -> None:
        if not self._is_over():
            self._shown.flush()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._shown.fileno()

    def isatty(self) -> bool:
        return self._shown.isatty()

    def close(self) -> None:
        """Nothing: the stream is everybody's."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._shown.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._shown.errors

    @property
    def buffer(self) -> io.BufferedIOBase:
        """Where bytes are written."""
        return self._bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shown, name)  # name, mode, reconfigure, line_buffering


class _BytesTee(io.BufferedIOBase):
    """Bytes for a stream of text, in their order among the texts."""

    def __init__(self, texts: _Tee) -> None:
        self._texts = texts
        # A character may come in several parts.
        self._decoder = codecs.getincrementaldecoder(texts.encoding or "utf-8")("replace")

    def write(self, data: ReadableBuffer) -> int:
        content = bytes(data)
        self._texts.write(self._decoder.decode(content))
        return len(content)

    def flush(self) -> None:
        self._texts.flush()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._texts.fileno()

    def isatty(self) -> bool:
        return self._texts.isatty()

    def close(self) -> None:
        """Nothing: the stream is everybody's."""
