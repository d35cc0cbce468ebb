"""Which reports are told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hpsearch.scheduler import notification
from hpsearch.scheduler.batch_file import Notify
from hpsearch.scheduler.batch_report import EXIT_UNFINISHED, BatchReport, StudyRow
from hpsearch.scheduler.notification import notify

ROWS = {
    0: StudyRow("a", "finished", validation=0.75),
    1: StudyRow("b", "failed", "no data"),
    EXIT_UNFINISHED: StudyRow("c", "waiting"),
}


@pytest.mark.parametrize(
    ("when", "told"), [("always", [0, 1, EXIT_UNFINISHED]), ("failure", [1, EXIT_UNFINISHED])]
)
def test_what_did_not_finish_is_told_as_a_failure_is(
    when: str, told: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9")

    def send(address: str, headers: object, body: Mapping[str, object]) -> tuple[str, ...]:
        sent.append(body["exit_code"])
        return ()

    monkeypatch.setattr(notification, "_failures", send)
    for code, row in ROWS.items():
        report = BatchReport("night", "n.toml", (row,), 61.0)
        assert report.exit_code == code
        notify(report, Notify.model_validate({"webhook": "HOOK", "when": when}), print)
    assert sent == told
