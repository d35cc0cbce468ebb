"""The card of a table: which columns give the target away, and which are nearly numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from hpsearch.datasets.card import GIVEAWAY, LEAVES, _most_alone, _score_alone, table_card
from hpsearch.datasets.table import TableFile, TableOptions

ROWS = 400


def score_of_tree(values: NDArray[Any], target: NDArray[Any], regression: bool) -> float:
    """Learned on every other row and scored on the rest, by scikit-learn alone."""
    learned, held = slice(0, None, 2), slice(1, None, 2)
    make = DecisionTreeRegressor if regression else DecisionTreeClassifier
    tree = make(max_leaf_nodes=LEAVES, random_state=0)
    predicted = tree.fit(values[learned, None], target[learned]).predict(values[held, None])
    score = r2_score if regression else balanced_accuracy_score
    return float(score(target[held], predicted))


def columns(rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """From one that says nothing to one that says all, with few values, and with gaps."""
    hidden = rng.normal(size=ROWS)
    found = {f"noise {s}": hidden + s * rng.normal(size=ROWS) for s in (0, 0.01, 0.1, 1, 10)}
    found["few"] = np.round(hidden)
    gaps = hidden.copy()
    gaps[hidden > 1] = np.nan
    found["gaps"] = gaps
    return {"hidden": hidden, **found}


def targets(rng: np.random.Generator, hidden: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    return {
        "two": (hidden > 0).astype(int),
        "rare": (hidden > 2).astype(int),
        "several": np.digitize(hidden, [-1, -0.3, 0.3, 1]),
        "bands": (np.sin(9 * hidden) > 0).astype(int),
        "random": rng.integers(0, 3, ROWS),
        "number": hidden,
        "steps": np.round(2 * hidden),
    }


@pytest.mark.parametrize("seed", range(4))
def test_no_column_that_a_tree_finds_is_passed_over(seed: int) -> None:
    """What a small tree can't reach is known without growing it, and nothing else is."""
    rng = np.random.default_rng(seed)
    inputs = columns(rng)
    found = []
    for name, target in targets(rng, inputs["hidden"]).items():
        regression = name in ("number", "steps")
        for values in inputs.values():
            score = score_of_tree(values, target, regression)
            most = _most_alone(values[1::2], target[1::2], regression)
            assert most >= score - 1e-12
            alone = _score_alone(values, target, regression)
            assert alone == (pytest.approx(score) if most >= GIVEAWAY else 0.0)
            found.append((score >= GIVEAWAY, most >= GIVEAWAY))
    assert {(True, True), (False, False)} <= {*found}
    assert (True, False) not in found


def test_a_column_without_a_word_on_the_target_grows_no_tree() -> None:
    rng = np.random.default_rng(0)
    values, numbers = rng.normal(size=(2, 2000))
    for classes in (2, 10):
        assert _most_alone(values, rng.integers(0, classes, 2000), False) < 0.8
    assert _most_alone(values, (numbers > 1.4).astype(int), False) < GIVEAWAY  # 8 % are positive
    assert _most_alone(values, numbers, True) < 0.6


def test_a_column_of_numbers_with_a_mark_is_said_with_what_to_do(tmp_path: Path) -> None:
    n = np.arange(60)
    table = pd.DataFrame({"weight": [f"{i % 7} kg" for i in n], "price": [f"${i}.50" for i in n]})
    table.assign(size=n % 5, y=n % 2).to_csv(tmp_path / "t.csv", index=False)
    card = table_card(TableFile(tmp_path / "t.csv", TableOptions("y")))
    assert [column.kind for column in card.columns] == ["category", "identifier", "number"]
    said = [warning for warning in card.warnings if "with a symbol" in warning]
    assert len(said) == 2
    assert said[0].startswith("'weight' is of the kind category, but nearly all cells are numbers")
    assert said[0].endswith(" kg': write only the numbers into the file to use them as numbers")
    assert not any("'price' identifies rows" in warning for warning in card.warnings)
    asked = TableOptions("y", columns=(("weight", "category"), ("price", "category")))
    card = table_card(TableFile(tmp_path / "t.csv", asked))
    assert not any("with a symbol" in warning for warning in card.warnings)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("customer_no", np.arange(120) // 3, True),
        ("Patient", [f"p{i // 4}" for i in range(120)], True),
        ("customerId", np.arange(120) // 3, True),
        ("NO", np.arange(120) // 3, False),
        ("reading_no", np.arange(120) // 3 / 2, False),  # with fractions
        ("number", np.arange(120) // 30, False),  # four values are a category
        ("visits", np.arange(120) // 3, False),
    ],
)
def test_a_column_that_seems_to_identify_whom_a_row_belongs_to_is_told(
    name: str, values: list[object], said: bool, tmp_path: Path
) -> None:
    n = np.arange(120)
    pd.DataFrame({name: values, "size": n % 5, "y": n % 2}).to_csv(tmp_path / "t.csv", index=False)
    card = table_card(TableFile(tmp_path / "t.csv", TableOptions("y")))
    hint = f'split = {{ kind = "group-k-fold", group = "{name}" }}'
    assert any(hint in warning for warning in card.warnings) == said
