"""The registered model of a winner that is trained on all rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import doctor, predict, sync
from hpsearch.records.layout import Home
from hpsearch.reports.parent import write_parent
from hpsearch.study.opening import open_run
from hpsearch.studyfile.reading import read_study
from hpsearch.tracking.client import open_client
from tests.harness.answers import mlflow_answer
from tests.harness.stores import new_home
from tests.harness.study import run
from tests.harness.tables import ONE_TRAINER, customers
from tests.harness.tampering import tamper


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of MLflow with pandas 3
def test_it_takes_the_place_of_the_first_refit_that_was_served(tmp_path: Path) -> None:
    """As where the training on all rows failed at first."""
    customers().to_csv(tmp_path / "customers.csv", index=False)
    path, home = tmp_path / "customers.toml", new_home(tmp_path / "home")
    path.write_text(f'{ONE_TRAINER}model = "all-rows"\n')
    result = run(path, home)
    opened = open_run(read_study(path), Home(home), fresh=False)
    write_parent(read_study(path), opened, result)
    opened.close()
    files, client = opened.folder.files, open_client(Home(home).tracking_uri)
    parent = files.parent.read_bytes()
    tamper(files.parent, lambda said: said["winner"].update({"kind": "test"}))
    for content, source in (
        (None, "model"),
        (parent, f"model-all-rows-{result.best_number}"),
        (None, f"model-all-rows-{result.best_number}"),
    ):
        if content is not None:
            files.parent.write_bytes(content)
        assert sync(home=home)["problem"].tolist() == [""]
        version = client.get_model_version_by_alias("customers", "winner")
        assert str(version.source).endswith(f"/{source}")
    assert int(version.version) == 2
    assert "trained on all rows" in str(version.description)
    assert doctor(home=home).empty
    new = customers(seed=1).drop(columns="left")
    new.to_csv(tmp_path / "new.csv", index=False)
    ours = predict("customers", tmp_path / "new.csv", home=home)
    theirs = mlflow_answer(home, "customers", tmp_path / "new.csv", here=True)
    assert theirs["probability_yes"].tolist() == ours["probability_yes"].tolist()
