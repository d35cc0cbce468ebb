"""Studies on tables of any columns: prepared by fold, scored, and predicted from raw rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hpsearch import data_card, predict
from hpsearch.errors import DataError, HpsearchError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.sealed import write_sealed
from hpsearch.records.study_json import read_study_json
from tests.harness.study import records, run
from tests.harness.tables import CUSTOMERS, LINEAR, ROWS, TREES, customers


@pytest.fixture
def study(tmp_path: Path) -> Path:
    customers().to_csv(tmp_path / "customers.csv", index=False)
    path = tmp_path / "customers.toml"
    path.write_text(CUSTOMERS)
    return path


def test_a_table_of_any_columns_is_searched_and_its_raw_rows_are_predicted(
    study: Path, home: Path
) -> None:
    result = run(study, home, "stages.0.trials=6")
    assert result.validation.mean > 0.7
    tried = {str(r.params["trainer"]): r.params for r in records(home, "customers")}
    assert tried["adam"]["prepare.categories"] == "one-hot"
    assert tried[TREES]["prepare.missing"] == "keep"
    rows = study.parent / "new.csv"
    shuffled = customers().drop(columns=["id"]).iloc[:, ::-1]
    shuffled.to_csv(rows, index=False)
    scored = predict("customers", rows, home=home)
    assert list(scored)[-3:] == ["class", "probability_no", "probability_yes"]
    assert np.allclose(scored.probability_no + scored.probability_yes, 1)
    assert (scored["class"] == customers()["left"]).mean() > 0.75
    # In another order, and with a text that no row had, which is unknown.
    customers().assign(plan="gold").to_csv(rows, index=False)
    unknown = predict("customers", rows, home=home)
    assert unknown.shape[0] == ROWS
    assert unknown["plan"].eq("gold").all()
    customers().drop(columns=["age", "note"]).to_csv(rows, index=False)
    with pytest.raises(DataError, match="got none of the name 'age', 'note'"):
        predict("customers", rows, home=home)
    customers().assign(age="old").to_csv(rows, index=False)
    with pytest.raises(DataError, match="must hold numbers in column 'age', got 'old' in row 1"):
        predict("customers", rows, home=home)


OWN = """\
def train(params, data, seed):
    x = data.x_train
    kinds = {name: x[name].dtype.kind for name in x}
    assert kinds == {"age": "f", "plan": "O", "paid": "b", "since": "M", "note": "O"}, kinds
    assert {*x["plan"].cat.categories} == {"basic", "pro"}
    assert x["plan"].isna().any() and x["note"].iloc[0]
    for _ in range(2):
        yield {"validation_accuracy": float((data.y_validation == 1).mean())}
"""


def test_a_function_of_ones_own_gets_a_data_frame(study: Path, home: Path) -> None:
    (study.parent / "own_table.py").write_text(OWN)
    head, _, rest = CUSTOMERS.partition("[network]")
    stages = rest.partition("[[stages]]")[2].replace("epochs = 3", "epochs = 2")
    space = "[space]\ntrainer = 'own_table:train'\nx = { low = 0.0, high = 1.0 }\n[[stages]]"
    study.write_text(head + space + stages)
    assert run(study, home, "stages.0.trials=1").counts == {"complete": 1}


def test_a_run_that_began_before_columns_were_read_goes_on_as_it_began(
    study: Path, home: Path
) -> None:
    """Older versions knew numbers alone, and wrote no key of what columns hold."""
    customers()[["id", "age", "left"]].dropna().to_csv(study.parent / "customers.csv", index=False)
    small = ["stages.0.trials=1", "stages.0.epochs=1"]
    head, _, rest = CUSTOMERS.partition("[network]")
    study.write_text(
        f"{head}[space]\ntrainer = '{LINEAR}'\n[[stages]]{rest.split('[[stages]]')[1]}"
    )
    run(study, home, *small, 'data.columns="numbers"')
    files = RunFolder(Home.find(home).study("customers").run(1).path).files
    said = read_study_json(files)
    del said["file"]["data"]["columns"], said["protocol"]
    write_sealed(files.study_json, said)
    run(study, home, "stages.0.trials=2", *small[1:])
    for record in records(home, "customers"):
        assert not any(name.startswith("prepare.") for name in record.params)
    with pytest.raises(HpsearchError, match="stored model of a table with preprocessed columns"):
        predict("customers", study.parent / "customers.csv", home=home)


def test_the_card_tells_what_was_understood_and_what_may_be_wrong(tmp_path: Path) -> None:
    table = customers().assign(
        always="x",
        verdict=lambda frame: frame["left"].map({"yes": "gone", "no": "here"}),
        refund=lambda frame: np.where(frame["left"] == "yes", 5.0, 0.0) + frame.index % 3,
    )
    table["score"] = np.where(table["since"] < "2024-06-01", 1.5, np.nan)
    table.to_csv(tmp_path / "t.csv", index=False)
    card = data_card(tmp_path / "t.csv", target="left")
    kinds = {column.name: column.kind for column in card.columns}
    assert kinds == {
        "id": "identifier",
        "age": "number",
        "plan": "category",
        "paid": "boolean",
        "since": "date",
        "note": "text",
        "always": "category",
        "verdict": "category",
        "refund": "number",
        "score": "number",
    }
    assert card.rows + card.test_rows == ROWS
    said = "\n".join(card.warnings)
    for line in (
        "'id' identifies rows",
        "'always' is the same in every row",
        "'verdict' duplicates the target",
        "'refund' alone predicts the target almost perfectly",
        "'score' has no value in any row after 2024-05-",
    ):
        assert line in said
    assert "'age'" not in said
    assert next(c for c in card.columns if c.name == "age").missing > 0
