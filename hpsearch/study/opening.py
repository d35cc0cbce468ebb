"""Opening a run of a study: a new one, or the one to continue."""

from __future__ import annotations

import difflib
import json
import os
import re
import socket
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hpsearch.errors import StudyChangedError, StudyLockedError
from hpsearch.processes import alive, birth
from hpsearch.records.home import Home
from hpsearch.records.trial_record import RunFolder
from hpsearch.records.whole_files import storage_errors, write_whole
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.stored import stored_file
from hpsearch.studyfile.study_file import StudyFile

STUDY = "study.json"
FAILED = "failed.json"  # why the last start ended in StudyFailed
HOLDER = re.compile(r"process (\d+) on (.*) \(since .*\)", re.DOTALL)


@dataclass(frozen=True)
class Run:
    """A run of a study that this process holds the lock of.

    Attributes:
        name: unique in the storage: the study's name, and /2, /3 … after --fresh.
        id: unique everywhere, for MLflow servers that several people share.
        resumed: it was there before.
        plans: the stages' numbers of trials, as they were first and after each change.
        lock: held until the process ends or `close` is called.
    """

    name: str
    id: str
    folder: RunFolder
    resumed: bool
    plans: tuple[tuple[int, ...], ...]
    lock: FileLock

    def storage_name(self, arm: str = "") -> str:
        """Of an arm's Optuna study; the id tells it from others of that name in a database."""
        return storage_name(self.name, self.id, arm)

    def close(self) -> None:
        """Let others run this study."""
        unlock_study(self.folder.path.parent, self.lock)


def run_name(study: str, number: int) -> str:
    """What the run of this number is called: the study's name, from the second on with it."""
    return study if number == 1 else f"{study}/{number}"


def storage_name(name: str, run_id: str, arm: str = "") -> str:
    """The Optuna study of an arm of a run; most studies have one arm, without a name."""
    return f"{name} [{arm}] ({run_id})" if arm else f"{name} ({run_id})"


def open_run(study: ReadStudy, home: Home, *, fresh: bool) -> Run:
    """Open the newest run of the study, or a new one; nothing is ever deleted.

    Raises:
        StudyLockedError: another process runs this study.
        StudyChangedError: the file differs from the newest run in more than trials or workers.
    """
    top = home.studies / study.file.name
    with storage_errors(top):
        top.mkdir(parents=True, exist_ok=True)
    lock = lock_study(top)
    try:
        newest = newest_run(top)
        resumed = bool(newest) and not fresh
        number = newest if resumed else newest + 1
        folder = RunFolder(top / str(number))
        name = run_name(study.file.name, number)
        begun = resumed and (folder.path / "trials").exists()
        if begun:  # else it ended before its first trial
            _compare(study, folder)
        with storage_errors(folder.path):
            folder.artifacts.mkdir(parents=True, exist_ok=True)
        for leftover in folder.artifacts.glob(".*"):  # of a write that a kill cut short
            leftover.unlink()
        write_whole(folder.artifacts / "study.toml", study.text.encode())
        known = folder.read_json(STUDY) if resumed else {}
        run_id = known["id"] if resumed else uuid.uuid4().hex[:12]
        understood = study.file.model_dump(mode="json")
        plans = _plans(known if begun else {}, study.file)
        said = {"id": run_id, "path": str(study.path.resolve()), "plans": plans}
        folder.write_json(STUDY, {**said, "file": understood})
        # Beside the file as written: with defaults and what --set changed.
        folder.write_json(f"{folder.artifacts.name}/{STUDY}", understood)
    except BaseException:
        unlock_study(top, lock)
        raise
    return Run(name, run_id, folder, resumed, tuple(map(tuple, plans)), lock)


def newest_run(top: Path) -> int:
    """The number of a study's last run, 0 for none.

    Args:
        top: the study's folder.
    """
    runs = (path for path in top.glob("*") if path.name.isdigit() and (path / STUDY).exists())
    return max((int(path.name) for path in runs), default=0)


def _plans(known: dict[str, Any], file: StudyFile) -> list[list[int]]:
    """The numbers of trials a run was started with, and those of this start if they differ."""
    now = [stage.trials for stage in file.stages]
    before = [stage["trials"] for stage in known["file"]["stages"]] if known else now
    plans: list[list[int]] = known.get("plans", [before])
    return plans if plans[-1] == now else [*plans, now]


def lock_study(top: Path) -> FileLock:
    """The operating system's lock on a study: it ends with the process, however that ends.

    Raises:
        StudyLockedError: another process has it.
        StorageError: the folder is read-only.
    """
    holder = _holder(top)
    lock = FileLock(top / "lock")
    with storage_errors(top / "lock"):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = _said(holder)[0] if holder.exists() else "another process"
            raise StudyLockedError(
                f"study {top.name!r} must be run by one process at a time, got a second start "
                f"while {who} runs it: wait for it, or stop it"
            ) from None
    who = f"process {os.getpid()} on {socket.gethostname()}"
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    with storage_errors(holder):
        holder.write_text(f"{who} (since {when})\n{birth(os.getpid())}")
    return lock


def unlock_study(top: Path, lock: FileLock) -> None:
    """Let others have the lock."""
    _holder(top).unlink(missing_ok=True)
    lock.release()


def _holder(top: Path) -> Path:
    """Where it is said who has the lock of a study."""
    return top / "lock.holder"


def _said(holder: Path) -> tuple[str, str]:
    """Who has the lock, and the birth of that process."""
    who, _, born = holder.read_text().partition("\n")
    return who, born


def running(top: Path) -> str | None:
    """Who runs the study of this folder, as its lock's holder said; None where nobody does.

    Nothing is locked to find out. Of a process on another machine it can't be known whether it
    is still there: it counts until it ends the study, or somebody else runs it.
    """
    try:
        text, born = _said(_holder(top))
    except FileNotFoundError:
        return None
    found = HOLDER.fullmatch(text)
    if found is None:  # being written
        return text or "another process"
    here = found[2] == socket.gethostname()
    return text if not here or alive(int(found[1]), born) else None


def _compare(study: ReadStudy, folder: RunFolder) -> None:
    """Refuse what earlier trials would not fit."""
    number = int(folder.path.name)
    before = stored_file(folder.read_json(STUDY)["file"], run_name(study.file.name, number))
    same = before.must_stay() == study.file.must_stay()
    problems = [*study.file.changes_refused(before, _closed(before, folder))] if same else []
    if same and not problems:
        return
    diff = "\n".join(
        line
        for line in difflib.unified_diff(
            _lines(before), _lines(study.file), "before", "now", n=1, lineterm=""
        )
        if not line.startswith("@@")
    )
    why = "".join(f"{problem.statement}\n" for problem in problems)
    raise StudyChangedError(
        f"study {study.file.name!r} has trials already, and the file differs from the one they "
        f"were run with:\n{diff}\n{why}More trials in the last stage, a wider [budget], "
        "other [limits], [outcomes] and [execution] continue a study; for anything else:\n"
        "  --fresh             start a new run of the study; nothing is deleted\n"
        f'  name = "{study.file.name}-2"   make it another study'
    )


def _closed(file: StudyFile, folder: RunFolder) -> list[int]:
    """The stages before the last one that are over, in one of the arms at least."""
    numbers = range(len(file.stages) - 1)
    return [n for n in numbers if any(folder.path.glob(f"stages/{n}[.-]*json"))]


def _lines(file: StudyFile) -> list[str]:
    flat: list[str] = []

    def walk(value: Any, key: str) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                walk(item, f"{key}.{name}" if key else str(name))
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for number, item in enumerate(value):
                walk(item, f"{key}.{number}")
        else:
            flat.append(f"{key} = {json.dumps(value)}")

    walk(file.model_dump(mode="json"), "")
    return flat
