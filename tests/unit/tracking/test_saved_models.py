"""The models of a run, as folders on the disk."""

from __future__ import annotations

import pytest

from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.models import winner_model


def test_the_first_refit_and_the_winner_on_all_rows_have_a_folder_each(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def save(young, fitted):  # type: ignore[no-untyped-def]
        young.mkdir()
        made.append(fitted.name)

    monkeypatch.setitem(winner_model.SAVERS, "fitted", save)
    fitted = run_folder.path / "fitted"
    whole, first = (
        winner_model._saved(run_folder, fitted, source)
        for source in ("model-all-rows-3", winner_model.MODEL)
    )
    assert made == ["fitted"] * 2
    assert first.is_dir()
    assert not {*whole.parents} & {first}
    assert whole.name == "model-all-rows-3"
