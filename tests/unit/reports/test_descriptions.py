"""What MLflow says of a finished study in two lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hpsearch.records.comparisons import DefaultResult
from hpsearch.records.estimate import Estimate
from hpsearch.reports.descriptions import headline
from hpsearch.studyfile.reading import read_text
from tests.harness.results import RESULT
from tests.harness.study_files import SMALL

SHOWN = Estimate(0.05, 0.01, 0.09, [0.04, 0.05, 0.06], "refits")
CHANCE = Estimate(0.05, -0.01, 0.11, [0.02, 0.05, 0.08], "refits")


@pytest.mark.parametrize(
    ("gain", "test_gain", "said"),
    [
        (SHOWN, None, "+0.0500 over the defaults."),
        (SHOWN, CHANCE, "no difference can be shown from the defaults."),
        (CHANCE, replace(SHOWN, mean=0.07), "+0.0700 over the defaults."),
        (None, None, "on the test set."),
    ],
)
def test_the_gain_is_said_where_it_is_shown(
    gain: Estimate | None, test_gain: Estimate | None, said: str
) -> None:
    default = DefaultResult({}, {}, None, {}, gain, test_gain, "")
    text = headline(read_text(SMALL, Path("s.toml")), replace(RESULT, default=default), None)
    assert text.endswith(said)
