"""One run of a schedule, as a process of its own.

    python -m hpsearch.api.occurrence_process

The first line on standard input says what to run, as JSON: an address with a password is in no
process list. The end of standard input means that the scheduler is gone: stop, resumably. Standard
output is a JSON line for every piece of news, the last one with the report or the error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from hpsearch.addresses import Scrubber
from hpsearch.errors import HpsearchError, RunningError


def main() -> int:
    """The process's life; returns its exit code."""
    options = json.loads(sys.stdin.readline())
    Scrubber(os.environ, [str(value) for value in options.values()]).install()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_watch, daemon=True).start()
    from hpsearch.api.batch import run_batch

    try:
        report = run_batch(
            **options,
            on_study=lambda name, number, of: _say(study=name, number=number, of=of),
            warn=lambda line: _say(warning=line),
        )
    except HpsearchError as error:
        _say(error=str(error), later=isinstance(error, RunningError))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    _say(report=report.as_dict())
    return report.exit_code


def _watch() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _say(**news: Any) -> None:
    with suppress(BrokenPipeError):  # the scheduler was killed; the next one asks again
        os.write(REPORTS, json.dumps(news).encode() + b"\n")


REPORTS = 1  # the file descriptor of standard output, until __main__ moves it

if __name__ == "__main__":
    REPORTS = os.dup(1)
    os.dup2(2, 1)  # what libraries and users' functions print goes to the log
    sys.exit(main())
