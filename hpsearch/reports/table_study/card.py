"""The card of the table that a study learned from: table.json and table.csv, and in the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from hpsearch.counts import count_of
from hpsearch.datasets.card import table_card
from hpsearch.datasets.table import TableFile
from hpsearch.records.layout import Artifact
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.sections import Section
from hpsearch.spreadsheets import csv_text


def write_card(folder: RunFolder, file: TableFile) -> None:
    """Write it once a run, whose table does not change."""
    path = folder.files.artifact(Artifact.TABLE_JSON)
    if path.exists():
        return
    card = {"file": file.path.name, **asdict(table_card(file))}
    table = csv_text(_columns(card))
    folder.files.artifact(Artifact.TABLE).write_text(table, encoding="utf-8")
    folder.write_json(path, card)


def _columns(card: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "column": column["name"],
                "kind": column["kind"],
                "missing": column["missing"],
                "distinct": column["distinct"],
                "examples": ", ".join(column["examples"]),
                "why": column["why"],
            }
            for column in card["columns"]
        ]
    )


def card_sections(folder: RunFolder) -> Iterator[Section]:
    """Of the report; nothing where the run has no card."""
    card = folder.read_json(folder.files.artifact(Artifact.TABLE_JSON))
    if not card:
        return
    rows = card["rows"]
    sealed = f", {card['test_rows']:,} set aside as the test set" if card["test_rows"] else ""
    about = f"{Path(card['file']).name}: {count_of(rows, 'row', form=',')} to learn from{sealed}"
    about += f"; {card['form']}."
    if card["target"] is not None:
        shares = (f"{name}: {n:,} ({n / rows:.1%})" for name, n in card["classes"].items())
        about += f" Target {card['target']}: {', '.join(shares) or 'numbers'}."
    yield Section("Table", about, _columns(card), folded=True)
    if card["warnings"]:
        told = pd.DataFrame({"warning": card["warnings"]})
        yield Section("Likely mistakes in the table", "Check these first.", told)
