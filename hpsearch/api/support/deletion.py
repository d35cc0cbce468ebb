"""Deleting runs of studies from all stores: the one way that `delete` and `prune` share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hpsearch.records.layout import StudyFiles, shared_folder
from hpsearch.records.whole_files import storage_errors
from hpsearch.study.recorded import Recorded
from hpsearch.study.storage.trials import delete_stored, is_stored
from hpsearch.study.verdict import test_uses
from hpsearch.tracking.deletion import TrackedRuns


@dataclass(frozen=True)
class StoredRun:
    """A run, and all that is to be deleted with it.

    Attributes:
        url: of Optuna's storage.
        tracked: its runs in MLflow; None: they stay.
    """

    run: Recorded
    url: str
    tracked: TrackedRuns | None

    @property
    def name(self) -> str:
        """With its number, as no other run has it: "quickstart/1"."""
        return f"{self.run.study}/{self.run.number}"

    def optuna_studies(self) -> Iterator[str]:
        """Those that the storage has."""
        return (name for name in self.run.storage_names() if is_stored(self.url, name))

    def shared_folders(self) -> Iterator[Path]:
        """Folders of its programs beside its own; none that an archive names."""
        if self.run.folder_of_file is None:
            return
        tops = {table.shared for table in self.run.file.all_programs.values() if table.shared}
        for top in sorted(tops):
            folder = shared_folder(top, self.run.folder.files.study, self.run.id)
            if folder.is_dir():
                yield folder

    @property
    def n_bytes(self) -> int:
        """What its files take up, artifacts in the home's own MLflow store among them."""
        home = self.run.folder.files.study.home
        folders = (self.run.folder.path, *self.shared_folders())
        artifacts = self.tracked.n_bytes if self.tracked is not None else 0
        return sum(map(home.size_of, folders)) + artifacts

    @property
    def test_uses(self) -> int:
        """Configurations whose scores on the test set are forgotten with it."""
        return test_uses(self.run.folder)

    def delete(self, *, for_good: bool = False) -> None:
        """Delete it everywhere, the records last: until then the same call finds the rest.

        Args:
            for_good: see TrackedRuns.delete.

        Raises:
            TrackingError: MLflow can't be reached; the records are there still.
            StorageError: Optuna's storage or the disk can't be written.
        """
        if self.tracked is not None:
            self.tracked.delete(for_good=for_good)
        for name in self.optuna_studies():
            delete_stored(self.url, name)
        for folder in self.shared_folders():
            with storage_errors(folder):
                shutil.rmtree(folder)
        files = self.run.folder.files
        with storage_errors(files.path):  # at once no run any more, whatever happens to the files
            files.kept_report.unlink(missing_ok=True)
            shutil.rmtree(files.path.rename(files.study.deleted(files.number)))


def sweep(top: StudyFiles) -> None:
    """Finish the deletions that a kill cut short; a study without a run goes with the last.

    Only for who holds the study's lock.
    """
    with storage_errors(top.path):
        for folder in top.half_deleted():
            shutil.rmtree(folder)
        if not top.numbers():
            shutil.rmtree(top.path)
