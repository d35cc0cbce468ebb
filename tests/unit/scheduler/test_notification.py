"""Which reports are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from hpsearch.scheduler import notification
from hpsearch.scheduler.batch_file import BatchFile, Notify
from hpsearch.scheduler.batch_report import EXIT_UNFINISHED, BatchReport, StudyRow
from hpsearch.scheduler.notification import SECONDS, TRIES, notify, text, unset

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


SECRET = "https://hooks.example/secret"


@pytest.mark.parametrize(
    ("status", "warned"),
    [
        (200, []),
        (204, []),
        (
            302,
            [
                "the webhook in HOOK must take the report itself, got a redirect (302): set the "
                "variable to the address that it leads to"
            ],
        ),
        (404, ["the webhook in HOOK answered 404"]),
        (None, ["the webhook in HOOK can't be reached (ConnectionError)"]),
    ],
)
def test_what_an_answer_means_and_that_each_address_is_tried_again(
    status: int | None, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []

    def post(session: requests.Session, address: str, **options: Any) -> SimpleNamespace:
        for scheme in ("http://x", "https://x"):
            again = session.get_adapter(scheme).max_retries  # type: ignore[attr-defined]
            assert (again.total, again.backoff_factor) == (TRIES - 1, 1.0)  # 1, 2 and 4 s later
            busy = [code for code in range(400, 600) if again.is_retry("POST", code)]
            assert busy == [408, 425, 429, 500, 502, 503, 504]
        sent.append({"address": address, **options})
        if status is None:
            raise requests.ConnectionError(address)
        return SimpleNamespace(status_code=status, ok=status < 400)

    monkeypatch.setattr(requests.Session, "post", post)
    monkeypatch.setenv("HOOK", SECRET)
    monkeypatch.setenv("HOOK_TOKEN", "token")
    report = BatchReport("night", "n.toml", (ROWS[0],), 61.0)
    lines: list[str] = []
    notify(report, Notify.model_validate({"webhook": "HOOK"}), lines.append)
    assert lines == warned
    (request,) = sent
    assert request["address"] == SECRET
    assert request["headers"] == {"Authorization": "Bearer token"}
    assert request["json"] == {"text": text(report), **report.as_dict()}
    assert (request["timeout"], request["allow_redirects"]) == (SECONDS, False)


def test_nothing_is_sent_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    monkeypatch.setattr(notification, "_failures", lambda *_: pytest.fail("sent"))
    report = BatchReport("night", "n.toml", (ROWS[1],), 61.0)
    notify(report, Notify.model_validate({"webhook": "HOOK"}), print)


def test_the_message_has_the_host_and_a_line_a_study() -> None:
    link = "http://127.0.0.1:5000/s/a"
    won = StudyRow(
        "a",
        "finished",
        objective="validation_accuracy",
        validation=0.75,
        low=0.7,
        high=0.8,
        test=0.5,
        winner="trial 3: learning_rate = 0.1",
        link=link,
    )
    rows = (
        won,
        StudyRow("b", "finished", objective="validation_loss", validation=0.25),
        StudyRow("c", "failed", "no data\nmore"),
        StudyRow("d", "waiting", "its window is closed"),
        StudyRow("e", "found", objective="x", validation=1.0),
    )
    kept = "2 runs deleted, 8 kept"
    report = BatchReport("night", "n.toml", rows, 61.0, retention=kept, host="tower")
    assert text(report).splitlines() == [
        f"{report.line} (on tower)",
        "a: validation_accuracy 0.7500 (0.7000 … 0.8000), test 0.5000; "
        f"trial 3: learning_rate = 0.1; {link}",
        "b: validation_loss 0.2500",
        "c: failed: no data; more",
        "d: waiting: its window is closed",
        "e (finished before): x 1.0000",
        "retention: 2 runs deleted, 8 kept",
    ]
    assert BatchReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report


@pytest.mark.parametrize(
    ("table", "value", "told"),
    [
        ({}, None, False),
        ({}, " ", True),
        ({}, SECRET, False),
        ({"notify": {"when": "failure"}}, None, True),
        ({"notify": {"webhook": "HOOK"}}, None, True),
        ({"notify": {"webhook": "HOOK"}}, SECRET, False),
    ],
)
def test_a_webhook_that_is_named_without_an_address_is_told(
    table: dict[str, Any], value: str | None, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = table.get("notify", {}).get("webhook", "HPSEARCH_WEBHOOK")
    monkeypatch.delenv(name, raising=False)
    if value is not None:
        monkeypatch.setenv(name, value)
    file = BatchFile.model_validate({"name": "b", "studies": [{"file": "a.toml"}], **table})
    assert unset(file).startswith(f"{name} must hold the address") == told
