"""Ways in which a file comes to hold something else, and a study to which that happens."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from hpsearch.study.events import Event
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.interrupts import interrupt_after
from tests.harness.stores import new_home
from tests.harness.study import run, table
from tests.harness.study_files import TINY


def _flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(content))


def _truncate(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content) + 1)])


def _swap(path: Path, rng: random.Random) -> None:
    """With a file of the same name, of another trial or stage."""
    others = sorted(
        p for p in path.parents[1].rglob(f"*{path.suffix}") if p != path and p.is_file()
    )
    if others:
        other = rng.choice(others)
        mine, theirs = path.read_bytes(), other.read_bytes()
        path.write_bytes(theirs)
        other.write_bytes(mine)


DAMAGES: dict[str, Callable[[Path, random.Random], object]] = {
    "flip": _flip,
    "truncate": _truncate,
    "empty": lambda path, _: path.write_bytes(b""),
    "delete": lambda path, _: path.unlink(),
    "swap": _swap,
    "zeros": lambda path, _: path.write_bytes(bytes(len(path.read_bytes()))),
}
KINDS = tuple(DAMAGES)


def damageable(home: Path) -> list[Path]:
    """The files of the studies of a home, from it."""
    found = (home / "studies").rglob("*")
    return sorted(path.relative_to(home) for path in found if path.is_file())


def damage(path: Path, kind: str, seed: int) -> None:
    """Damage a file."""
    DAMAGES[kind](path, random.Random(seed))


def stop_in_the_middle(folder: Path) -> None:
    """Leave tiny.toml, its stores in home as it was stopped, and in quiet as it was not."""
    (folder / "tiny.toml").write_text(TINY)
    run(folder / "tiny.toml", folder / "quiet")
    read, stores = read_study(folder / "tiny.toml"), Home(new_home(folder / "home"))
    stores.create()
    opened = open_run(read, stores, fresh=False)
    interrupt_after(Study(read, opened, stores.storage_url, 0), 9)
    opened.close()


def go_on(path: Path, home: Path) -> list[Event]:
    """Start the study again; what it told."""
    read, stores, told = read_study(path), Home(home), list[Event]()
    opened = open_run(read, stores, fresh=False)
    try:
        Study(read, opened, stores.storage_url, 0).execute(told.append)
    finally:
        opened.close()
    return told


def outcome(stopped: Path, home: Path) -> str:
    """What a damaged study ends with: "" for the undisturbed table, or its one line.

    Raises:
        AssertionError: it is another table, or more than a line.
    """
    said = ""
    try:
        go_on(stopped / "tiny.toml", home)
    except HpsearchError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1, said
    assert said or table(home) == _quiet(stopped), "another table"
    return said


@cache
def _quiet(stopped: Path) -> dict[object, object]:
    return table(stopped / "quiet")
