"""What `tune` found: its study, plain models beside the winner, and what to do next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from hpsearch.console.output import output, print_named
from hpsearch.console.report import print_report
from hpsearch.metrics import test_name

if TYPE_CHECKING:
    from hpsearch.api.tune import Tuned


def print_tuned(tuned: Tuned, home: Path | None) -> None:
    """Print it, the comparison and the next commands last."""
    print_report(tuned.report)
    result = tuned.report.result
    metric = test_name(result.objective)
    table = Table(title="Compared with models without a search", title_justify="left", box=None)
    for name in ("model", result.objective, metric):
        table.add_column(name, justify="left" if name == "model" else "right")
    for one in tuned.baselines:
        table.add_row(one.name, f"{one.validation:.4f}", f"{one.test:.4f}")
    winner = str(result.best_params["trainer"]).rpartition(".")[2]
    tested = result.test.get(metric)
    table.add_row(
        f"winner ({winner})", str(result.validation), "" if tested is None else str(tested)
    )
    output().print(table)
    where = f" --home {shlex.quote(str(home))}" if home else ""
    file, study = shlex.quote(str(tuned.file)), shlex.quote(result.study)
    print_named(
        [
            (
                "study file",
                f"edit {tuned.file}, then run python -m hpsearch study {file}",
            ),
            (
                "new rows",
                f"python -m hpsearch predict {study} rows.csv --to scored.csv{where}",
            ),
        ]
    )
