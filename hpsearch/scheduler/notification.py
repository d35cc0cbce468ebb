"""One request to a webhook when a batch is over."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping

from hpsearch.scheduler.batch_file import BatchFile, Notify
from hpsearch.scheduler.batch_report import BatchReport

TRIES, SECONDS = 4, 10.0  # the last one some 7 s after the first; each may wait so long
DEADLINE_SECONDS = 60.0  # for all tries together
TOKEN = "_TOKEN"  # the variable of this ending, if it is set, is sent as a bearer token


def notify(report: BatchReport, how: Notify, warn: Callable[[str], None]) -> None:
    """Send the report to the webhook of the environment; a failure is only warned of.

    The body is the report's JSON with a `text` of a line a study, which is what Slack, Mattermost
    and their like show. The address is a secret: no message holds it.
    """
    address = os.environ.get(how.webhook, "").strip()
    if not address or (how.when == "failure" and report.exit_code == 0):
        return
    token = os.environ.get(how.webhook + TOKEN)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"text": text(report), **report.as_dict()}
    failures: list[str] = []
    # A server that sends a byte now and then passes every timeout of a socket.
    sender = threading.Thread(
        target=lambda: failures.extend(_failures(address, headers, body)), daemon=True
    )
    sender.start()
    sender.join(DEADLINE_SECONDS)
    if sender.is_alive():
        failures.append(f"must answer within {DEADLINE_SECONDS:g} s, got no complete answer")
    for failure in failures:
        warn(f"the webhook in {how.webhook} {failure}")


def _failures(
    address: str, headers: Mapping[str, str], body: Mapping[str, object]
) -> Iterator[str]:
    """Send it; yields what went wrong, to follow the webhook's name."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    again = Retry(
        total=TRIES - 1,
        backoff_factor=1.0,
        status_forcelist=(408, 425, 429, 500, 502, 503, 504),
        allowed_methods=None,  # a POST too: twice told is better than not at all
    )
    try:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=again))
            # Followed, a redirect may turn into a GET without the report.
            answer = session.post(
                address,
                json=body,
                headers=headers,
                timeout=SECONDS,
                allow_redirects=False,
                stream=True,  # what it says beside its status is not read
            )
    except Exception as error:  # whatever it is, its text may hold the address
        yield f"can't be reached ({type(error).__name__})"
        return
    if 300 <= answer.status_code < 400:
        yield (
            f"must take the report itself, got a redirect ({answer.status_code}): set the "
            "variable to the address that it leads to"
        )
    elif not answer.ok:
        yield f"answered {answer.status_code}"


def text(report: BatchReport) -> str:
    """The message for people: the batch and its machine, then a line a study."""
    lines = [f"{report.line} (on {report.host})", *(row.line for row in report.studies)]
    lines += [f"retention: {report.retention}"] if report.retention else []
    return "\n".join(lines)


def unset(file: BatchFile) -> str:
    """That a webhook is named whose variable has no address; "" where nobody named one."""
    name = file.notify.webhook
    named = "notify" in file.model_fields_set or name in os.environ
    if not named or os.environ.get(name, "").strip():
        return ""
    return f"{name} must hold the address of the webhook but is not set: no summary will be sent"
