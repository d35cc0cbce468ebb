"""MLflow's server with an app of ours: what `python -m hpsearch ui` starts.

    python -m hpsearch.tracking.server_process NAME MODULE:FUNCTION OPTIONS OF mlflow server

MLflow takes apps from the entry-point group "mlflow.app", which says what was there when hpsearch
was installed. A source folder that is newer than its installation, or that is only on the path,
would have no pages: so this process names the app itself, by the means that importlib.metadata
has for finders, and the rest is the command `mlflow server`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, DistributionFinder

GROUP = "mlflow.app"


class _Named(Distribution):
    """What an installed package with one entry point says."""

    def __init__(self, name: str, app: str) -> None:
        self._texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}-app\nVersion: 0\n",
            "entry_points.txt": f"[{GROUP}]\n{name} = {app}\n",
        }

    def read_text(self, filename: str) -> str | None:
        return self._texts.get(filename)

    def locate_file(self, path: str | os.PathLike[str]) -> os.PathLike[str]:  # type: ignore[override]
        raise FileNotFoundError(path)


class _Finder(DistributionFinder):
    """Finds it, and no module."""

    def __init__(self, found: Distribution) -> None:
        self._found = found

    def find_spec(self, *_: object) -> None:
        return None

    def find_distributions(
        self, context: DistributionFinder.Context = DistributionFinder.Context()
    ) -> Iterable[Distribution]:
        return [self._found] if context.name is None else []


def main(name: str, app: str, *options: str) -> None:
    """Serve until a signal ends it."""
    sys.meta_path.insert(0, _Finder(_Named(name, app)))
    from mlflow.cli import cli

    cli(["server", "--app-name", name, *options], prog_name="mlflow")


if __name__ == "__main__":
    main(*sys.argv[1:])
