"""The metrics that a program prints, from its text."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from hpsearch.studyfile.scripts.printed_metrics import (
    PrintedMetrics,
    direction_of,
    printed_metrics,
)
from hpsearch.studyfile.scripts.source import Source


def printed(folder: Path, text: str) -> PrintedMetrics:
    path = folder / "train.py"
    path.write_text(dedent(text))
    return printed_metrics([Source.read(path)])


@pytest.mark.parametrize(
    ("text", "how", "names", "best"),
    [
        (
            "import hpsearch\nhpsearch.report(epoch=1, train_loss=1, val_loss=2)",
            "report",
            ("train_loss", "val_loss"),
            "val_loss",
        ),
        (
            "from hpsearch import report as tell\ntell({'val_acc': 1})",
            "report",
            ("val_acc",),
            None,
        ),
        ("print(json.dumps({'step': 1, 'lr': 2, 'f1': 3, 'event': 'x'}))", "json", None, "f1"),
        ("print(dumps(dict(loss=1, accuracy=2)), flush=True)", "json", None, "accuracy"),
        (
            "row = {'test_acc': 1}\nrow['val_rmse'] = 2\nprint(json.dumps(row))",
            "json",
            ("test_acc", "val_rmse"),
            "val_rmse",
        ),
        ("print(json.dumps({**{'dev_bleu': 1}, 'loss': 2}))", "json", None, "dev_bleu"),
        ("sys.stdout.write(json.dumps({'fitness': 1}))", "json", None, "fitness"),
    ],
)
def test_metrics_by_name(
    tmp_path: Path, text: str, how: str, names: tuple[str, ...] | None, best: str | None
) -> None:
    found = printed(tmp_path, text)
    assert found.how == how
    assert names is None or found.names == names
    assert found.best() == (best or found.names[0])


@pytest.mark.parametrize(
    "text",
    [
        "print('val_acc 0.3')",
        "file.write(json.dumps({'val_acc': 1}))",
        "print(json.dumps({'val_acc': 1}), file=log)",
        "print(json.dumps({'test_acc': 1, 'train_loss': 2}))",
        "print(f'epoch {epoch} of {n}')",
    ],
)
def test_what_is_no_metric_to_optimise(tmp_path: Path, text: str) -> None:
    assert printed(tmp_path, text) == PrintedMetrics()


@pytest.mark.parametrize(
    ("line", "groups"),
    [
        ('f"epoch {epoch} val_acc {acc:.4f}"', {"epoch": "7", "val_acc": "0.5000"}),
        (
            'f"[{epoch + 1}/{n}] loss: {total / 8:6.3f}, val loss: {acc.item():9.3f} ({t}s)"',
            {"epoch": "8", "val_loss": "0.500"},
        ),
        (
            'f"\\nEpoch: {epoch:03d} (done)\\nEpoch {epoch:>4} | Validation accuracy: {acc:.1%}!"',
            {"epoch": "7", "validation_accuracy": "50.0"},
        ),
        ("f\"final f1 = {scores['f1']}\"", {"final_f1": "0.5"}),
        ('f"train loss {loss} {val_loss}"', {"train_loss": "1e-05", "val_loss": "nan"}),
    ],
)
def test_a_line_of_text_becomes_a_pattern_that_matches_it(
    tmp_path: Path, line: str, groups: dict[str, str]
) -> None:
    class Number(float):
        def item(self) -> float:
            return self

    found = printed(tmp_path, f"print({line})")
    values = {"epoch": 7, "n": 90, "acc": Number(0.5), "total": 1.0, "t": 3, "scores": {"f1": 0.5}}
    text = eval(line, values | {"loss": 1e-05, "val_loss": float("nan")})
    matches = [m for row in text.splitlines() if (m := re.search(found.pattern, row))]
    assert len(matches) == 1
    assert groups.items() <= matches[0].groupdict().items()
    assert found.how == "line"
    assert found.epoch == ("epoch" in groups)


def test_the_line_of_held_out_data_is_taken(tmp_path: Path) -> None:
    text = 'print(f"epoch {epoch} loss {loss}")\nprint(f"epoch {epoch}: val acc {a}")\n'
    assert printed(tmp_path, text).best() == "val_acc"


def test_the_direction_of_a_name() -> None:
    assert direction_of("val_loss") == ("minimize", True)
    assert direction_of("rmse") == ("minimize", True)
    assert direction_of("dev_wer") == ("minimize", True)
    assert direction_of("val_acc") == ("maximize", True)
    assert direction_of("fitness") == ("maximize", False)
