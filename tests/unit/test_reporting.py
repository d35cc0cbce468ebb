"""hpsearch.report: a line of JSON in a trial, nothing elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest

import hpsearch
from hpsearch.reporting import IN_TRIAL
from hpsearch.trainers.programs.metric_lines import MetricReader


def test_outside_of_a_trial_it_does_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(IN_TRIAL, raising=False)
    hpsearch.report(epoch=1, val_acc="anything")
    assert capsys.readouterr().out == ""


def test_in_a_trial_it_prints_a_metric_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(IN_TRIAL, "search")
    hpsearch.report(epoch=3, val_acc=np.float32(0.5), loss=np.array([2.0])[0], n=True)
    hpsearch.report(val_acc=float("nan"))
    out = capsys.readouterr().out
    assert json.loads(out.splitlines()[0]) == {"epoch": 3, "val_acc": 0.5, "loss": 2.0, "n": 1.0}
    found = list(MetricReader("json-lines", "", ["loss"]).feed(out.encode()))
    assert found == [(3, {"val_acc": 0.5, "loss": 2.0, "n": 1.0})]


@pytest.mark.parametrize("value", ["high", None, [1.0, 2.0]])
def test_a_metric_is_a_number(monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    monkeypatch.setenv(IN_TRIAL, "search")
    with pytest.raises(TypeError, match="metric 'val_acc' must be a number, got"):
        hpsearch.report(epoch=1, val_acc=value)
