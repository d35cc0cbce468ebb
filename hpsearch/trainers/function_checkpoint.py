"""The folder in which a function of a user's own keeps its checkpoint."""

from __future__ import annotations

import json
import weakref
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

from hpsearch.processes import temporary_folder
from hpsearch.records.layout import OURS


class CheckpointFolder:
    """Where a checkpoint lies, and beside it the metrics that were yielded up to it.

    The metrics are written as they come: after a kill the checkpoint may be of a later epoch than
    the last state that was handed out, and its epochs are not trained again.

    Args:
        folder: "" for one that goes with this object.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder or temporary_folder())
        if not folder:
            weakref.finalize(self, rmtree, self._folder, ignore_errors=True)
        self._journal = self._folder / OURS / "metrics.jsonl"

    @property
    def path(self) -> Path:
        """What the function gets; its folder is there."""
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        return self._folder / "checkpoint"

    def forget(self) -> None:
        """Throw all of it away: the function is to start anew."""
        rmtree(self._folder, ignore_errors=True)

    def note(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Keep the metrics of an epoch, and what was predicted, as lists."""
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps([epoch, dict(metrics)]) + "\n")

    def known(self) -> dict[int, dict[str, Any]]:
        """The metrics that were kept, by epoch; a line that a kill cut is left out."""
        known: dict[int, dict[str, Any]] = {}
        lines = self._journal.read_text("utf-8").splitlines() if self._journal.exists() else []
        for line in lines:
            try:
                epoch, metrics = json.loads(line)
            except ValueError:
                continue
            known[int(epoch)] = metrics
        return known
