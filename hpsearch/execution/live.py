"""What a call says while it runs, to whoever started it and listens.

    with heard(pipe.send):
        run_slice(work)         # in which, far below, tell(result) is called

One call runs at a time in a process that listens, so that the listener is the process's own and
every thread of the call reaches it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Listener = Callable[[Any], None]

_listeners: list[Listener] = []


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Have `tell` call this listener in the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def is_heard() -> bool:
    """Whether anyone listens."""
    return bool(_listeners)


def tell(news: Any) -> None:
    """Say something to whoever listens."""
    for listener in _listeners:
        listener(news)


class Pace:
    """Calls a function after changes: once in `seconds` at most, and no later than that.

    What is told of changes under `lock` only, which is held during every call.

    Args:
        call: says what changed since it was called last; runs in the thread of the change, or in
            one of this object's own.
        seconds: between two calls; inf: it is never called.
    """

    def __init__(self, call: Callable[[], None], seconds: float) -> None:
        self._call, self._seconds = call, seconds
        self._last = time.monotonic()
        self._timer: threading.Timer | None = None
        self._ended = False
        self.lock = threading.RLock()

    def changed(self) -> None:
        """Call now, or when it is time."""
        if self._ended or self._timer is not None or math.isinf(self._seconds):
            return
        left = self._last + self._seconds - time.monotonic()
        if left <= 0:
            self._make_call()
            return
        self._timer = threading.Timer(left, self._late)
        self._timer.daemon = True
        self._timer.start()

    def _late(self) -> None:
        with self.lock, suppress(OSError):  # nobody is there any more: the process ends by itself
            self._timer = None
            if not self._ended:
                self._make_call()

    def _make_call(self) -> None:
        self._last = time.monotonic()
        self._call()

    def end(self) -> None:
        """Call no more."""
        with self.lock:
            self._ended = True
            if self._timer is not None:
                self._timer.cancel()
