"""What a trainer prints is shown and kept."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator

import pytest

from hpsearch.execution.printed import LONGEST, PrintedText, hidden


def test_it_is_shown_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    printed = PrintedText()
    with printed.kept():
        print("one")
        print("two", file=sys.stderr)
    print("three")
    assert printed.take_last() == "one\ntwo\n"
    assert capsys.readouterr() == ("one\nthree\n", "two\n")


def test_it_stands_for_the_stream(capfd: pytest.CaptureFixture[str]) -> None:
    printed, real = PrintedText(), sys.stdout
    with printed.kept():
        assert (sys.stdout.fileno(), sys.stdout.isatty()) == (real.fileno(), real.isatty())
        assert (sys.stdout.encoding, sys.stdout.errors) == (real.encoding, real.errors)
        print("one")
        for part in ("zwei: ü\n".encode()[:7], "zwei: ü\n".encode()[7:]):
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        sys.stderr.buffer.write(b"\xff\n")
        sys.stdout.writelines(["three\n"])
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        sys.stdout.close()
        print("four")
    sys.stdout.flush()
    assert printed.take_last() == "one\nzwei: ü\n\ufffd\nthree\nfour\n"
    assert capfd.readouterr().out == "one\nzwei: ü\nthree\nfour\n"


def test_a_stream_that_code_kept_goes_to_the_block_under_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept, printed = [], [PrintedText() for _ in range(2)]
    with hidden():
        kept.append(sys.stdout)
        print("hidden")
    for number, block in enumerate(printed):
        with block.kept():
            kept.append(sys.stdout)
            for stream in kept:
                print("block", number, file=stream, flush=True)
    print("after", file=kept[1])
    assert [block.take() for block in printed] == ["block 0\n" * 2, "block 1\n" * 3]
    assert capsys.readouterr().out == "block 0\n" + "block 1\n" * 2 + "after\n"


def test_what_is_too_much_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    printed = PrintedText()
    with printed.kept():
        print("x" * LONGEST, end="")
        print("y" * 10, end="")
    assert printed.take_last().startswith("x" * LONGEST + "\n… (10 more characters")


def test_it_is_taken_in_parts(capsys: pytest.CaptureFixture[str]) -> None:
    printed = PrintedText()
    with printed.kept():
        print("one")
        assert printed.take() == "one\n"
        assert printed.take() == ""
        print("x" * LONGEST)
    assert printed.take() == "x" * (LONGEST - 4)
    assert printed.take_last() == "\n… (5 more characters were printed)\n"


@pytest.mark.filterwarnings("default")
def test_warnings_are_kept_of_each_block_and_shown_in_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def warn() -> None:
        warnings.warn("again\nsecond line", stacklevel=1)

    for _ in range(2):
        printed = PrintedText()
        with printed.kept():
            warn()
            warn()  # of the same place
        assert printed.take_warned() == ("UserWarning: again",)
        assert "second line" in printed.take()
    assert capsys.readouterr().err == ""


@pytest.mark.filterwarnings("default")
def test_what_a_block_leaves_unfinished_does_no_harm() -> None:
    def train() -> Generator[int]:
        with warnings.catch_warnings():  # which puts back, at its end, what it found
            yield from range(9)

    shown: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warnings, "showwarning", lambda message, *_: shown.append(str(message)))
        left = train()
        with PrintedText().kept():
            next(left)
        later = PrintedText()
        with later.kept():
            left.close()
            warnings.warn("inside", stacklevel=1)
        warnings.warn("outside", stacklevel=1)
    assert later.take_warned() == ("UserWarning: inside",)
    assert shown == ["outside"]
