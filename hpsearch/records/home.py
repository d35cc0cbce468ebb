"""The folder of all stores of a user."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hpsearch.errors import StorageError


@dataclass(frozen=True)
class Home:
    """Where everything that is not code lies; mlruns/ of the current directory by default.

    optuna.db   mlflow.db   artifacts/     the stores of Optuna and MLflow, apart
    studies/<name>/<run>/                  the records, see RunFolder
    """

    path: Path

    @classmethod
    def find(cls, named: Path | None) -> Home:
        """The folder that was named, else HPSEARCH_HOME, else mlruns/ here."""
        return cls(Path(named or os.environ.get("HPSEARCH_HOME") or "mlruns").absolute())

    def create(self) -> None:
        """Make the folder.

        Raises:
            StorageError: it can't be made or written.
        """
        if any(sign in str(self.path) for sign in "?#"):
            raise StorageError(
                f"the folder of stores must have no '?' or '#' in its path, which mean something "
                f"else in the addresses of databases, got {self.path}; name another with --home"
            )
        try:
            self.studies.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the folder of stores {self.path} must be writable, got: {error.strerror}; "
                "name another with --home or HPSEARCH_HOME"
            ) from error
        if not all(os.access(folder, os.W_OK) for folder in (self.path, self.studies)):
            raise StorageError(
                f"the folder of stores {self.path} must be writable; "
                "name another with --home or HPSEARCH_HOME"
            )

    @property
    def studies(self) -> Path:
        """The records of all studies."""
        return self.path / "studies"

    @property
    def storage_url(self) -> str:
        """Optuna's store."""
        return f"sqlite:///{self.path / 'optuna.db'}"

    @property
    def mlflow(self) -> Path:
        """MLflow's database."""
        return self.path / "mlflow.db"

    @property
    def tracking_uri(self) -> str:
        """MLflow's store, by absolute path."""
        return f"sqlite:///{self.mlflow}"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.path / "artifacts"
