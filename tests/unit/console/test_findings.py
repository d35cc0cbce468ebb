"""The doctor's findings in the terminal."""

from __future__ import annotations

import pandas as pd
import pytest

from hpsearch.api.doctor import COLUMNS
from hpsearch.console.findings import conclusion, print_findings

MISSING = "must be there once, is not there"


def findings(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


def missing(study: str, number: int, *, repaired: bool = False) -> tuple[object, ...]:
    subject = f"{study} trial-{number:03d}"
    return "MLflow", subject, MISSING, "it is sent", repaired, study, MISSING, True


POINTS = [
    (
        *("MLflow", f"a trial-{n}", f"metric {n} must have more"),
        *("it is sent", False, "a", "points are missing", True),
    )
    for n in range(2)
]
HOST = ("host", "HPSEARCH_DATA", "must be a folder", "by hand: unset it", False, "", "x", False)


def test_a_line_for_each_kind_and_study_with_three_examples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = findings(*(missing("a", n) for n in range(231)), missing("b", 0), *POINTS, HOST)
    print_findings(found)
    assert capsys.readouterr().out.splitlines() == [
        f"MLflow  a: 231 times: {MISSING}",
        "    a trial-000, a trial-001, a trial-002, and 228 more",
        "    remedy: it is sent",
        f"MLflow  b trial-000: {MISSING}",
        "    remedy: it is sent",
        "MLflow  a: 2 times: points are missing",
        "    a trial-0: metric 0 must have more",
        "    a trial-1: metric 1 must have more",
        "    remedy: it is sent",
        "host  HPSEARCH_DATA: must be a folder",
        "    remedy: by hand: unset it",
    ]
    print_findings(found, every=True)
    assert len(capsys.readouterr().out.splitlines()) == 2 * 235


def test_the_last_line_counts_and_says_what_to_do() -> None:
    assert conclusion(findings()) == "no differences"
    repair = "`python -m hpsearch doctor --repair` repairs"
    assert conclusion(findings(missing("a", 0))) == f"1 finding; {repair} 1"
    three = findings(missing("a", 0), missing("a", 1), HOST)
    last = "1 to be done by hand, as said above"
    assert conclusion(three) == (f"3 findings in 2 groups; {repair} 2; {last}; --all names each")
    assert conclusion(three, every=True) == f"3 findings in 2 groups; {repair} 2; {last}"
    done = findings(missing("a", 0, repaired=True), missing("b", 0, repaired=True))
    assert conclusion(done) == "2 findings, 2 repaired"
