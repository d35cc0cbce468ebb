"""The webhook, with a real server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from hpsearch.scheduler.batch_file import Notify
from hpsearch.scheduler.batch_report import BatchReport, StudyRow
from hpsearch.scheduler.notification import notify

GOOD = StudyRow("a", "finished", objective="validation_accuracy", validation=0.75, test=0.5)
BAD = StudyRow("b", "failed", "no data\nat all")
FOUND = StudyRow("c", "found", validation=0.5)


class Hook:
    """A server that answers with the codes given, then 200, and keeps what it was sent."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.methods: list[str] = []
        self.retry_after = 0  # seconds, said with 503
        self.drips = threading.Event()  # a byte now and then, and no end
        self.quiet = threading.Event()  # the test is over
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                hook.bodies.append(json.loads(self.rfile.read(length)))
                hook.tokens.append(self.headers["Authorization"])
                hook.methods.append(self.command)
                if hook.drips.is_set():
                    self.drip()
                    return
                code = hook.codes.pop(0) if hook.codes else 200
                self.send_response(code)
                if 300 <= code < 400:
                    self.send_header("Location", f"{hook.address}/elsewhere")
                if code == 503 and hook.retry_after:
                    self.send_header("Retry-After", str(hook.retry_after))
                self.end_headers()

            def do_GET(self) -> None:
                hook.methods.append(self.command)
                self.send_response(200)
                self.end_headers()

            def drip(self) -> None:
                self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
                with suppress(OSError):
                    while not hook.quiet.wait(0.02):
                        self.wfile.write(b"x")

            def log_message(self, *what: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/secret"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HPSEARCH_WEBHOOK", made.address)
    yield made
    made.quiet.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def send(*rows: StudyRow, **how: Any) -> list[str]:
    warnings: list[str] = []
    notify(BatchReport("night", "n.toml", rows, 61.0), Notify(**how), warnings.append)
    return warnings


def test_the_report_is_sent_with_a_text_for_people(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPSEARCH_WEBHOOK_TOKEN", "t0ken")
    assert send(GOOD, BAD, FOUND) == []
    (body,) = hook.bodies
    assert body["text"] == (
        f"night: 1 finished, 1 failed, 1 found, 1 min (on {socket.gethostname()})\n"
        "a: validation_accuracy 0.7500, test 0.5000\n"
        "b: failed: no data; at all\n"
        "c (finished before):  0.5000"
    )
    assert body["exit_code"] == 1
    assert [row["study"] for row in body["studies"]] == ["a", "b", "c"]
    assert hook.tokens == ["Bearer t0ken"]


def test_a_server_that_is_busy_is_asked_again(hook: Hook) -> None:
    hook.codes = [503]
    assert send(GOOD) == []
    assert len(hook.bodies) == 2


def test_a_refusal_is_warned_of_without_the_address(hook: Hook) -> None:
    hook.codes = [404]
    (warning,) = send(GOOD)
    assert warning == "the webhook in HPSEARCH_WEBHOOK answered 404"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:99999/secret", "http://[secret", "secret", "http://secret:a/"]
)
def test_what_is_no_address_is_warned_of_without_it(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr("hpsearch.scheduler.notification.TRIES", 1)
    monkeypatch.setenv("MINE", address)
    (warning,) = send(GOOD, webhook="MINE")
    assert "the webhook in MINE can't be reached" in warning
    assert "secret" not in warning


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_not_followed(hook: Hook, code: int) -> None:
    hook.codes = [code]
    (warning,) = send(GOOD)
    assert warning == (
        f"the webhook in HPSEARCH_WEBHOOK must take the report itself, got a redirect ({code}): "
        "set the variable to the address that it leads to"
    )
    assert hook.methods == ["POST"]


def test_a_server_that_sends_a_byte_now_and_then_is_left_at_the_deadline(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpsearch.scheduler.notification.DEADLINE_SECONDS", 0.5)
    hook.drips.set()
    began = time.monotonic()
    (warning,) = send(GOOD)
    assert time.monotonic() - began < 5
    assert warning == (
        "the webhook in HPSEARCH_WEBHOOK must answer within 0.5 s, got no complete answer"
    )


def test_a_server_that_is_slow_to_want_more_is_left_at_the_deadline(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpsearch.scheduler.notification.DEADLINE_SECONDS", 0.5)
    hook.codes, hook.retry_after = [503], 3600
    (warning,) = send(GOOD)
    assert "must answer within 0.5 s" in warning


def test_an_unreachable_server_is_warned_of_without_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hpsearch.scheduler.notification.TRIES", 1)
    monkeypatch.setenv("MINE", "http://127.0.0.1:9/secret")
    (warning,) = send(GOOD, webhook="MINE")
    assert "the webhook in MINE can't be reached" in warning
    assert "secret" not in warning


def test_a_success_is_not_sent_where_only_failures_are_wanted(hook: Hook) -> None:
    send(GOOD, when="failure")
    assert hook.bodies == []
    send(BAD, when="failure")
    assert len(hook.bodies) == 1
