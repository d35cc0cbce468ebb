"""Several comparisons of one study."""

from __future__ import annotations

from typing import Any

import pytest

from hpsearch.analysis.answers import hold_by_holm


def claims(*p: float | None) -> list[dict[str, Any]]:
    return [{"verdict": "holds", "detail": "d"} | ({} if one is None else {"p": one}) for one in p]


def test_p_values_are_adjusted_step_by_step() -> None:
    found = claims(0.01, 0.04, None, 0.03, 0.005)
    hold_by_holm(found)
    adjusted = [claim.get("p_holm") for claim in found]
    assert adjusted == [pytest.approx(0.03), pytest.approx(0.06), None, 0.06, 0.02]
    assert [c["verdict"] for c in found] == ["holds", "not shown", "holds", "not shown", "holds"]
    assert found[1]["detail"] == "d; p 0.06 by Holm's test over 4 comparisons"
    assert found[2]["detail"] == "d"


def test_one_comparison_stands_for_itself() -> None:
    found = claims(0.04, None)
    hold_by_holm(found)
    assert found == claims(0.04, None)
