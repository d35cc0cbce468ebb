"""What a trainer's code may change of its process, and the next trial finds as it was."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext

ENDINGS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def same_surroundings() -> Iterator[None]:
    """Put the current folder, the environment, and the answers to signals that end a study back
    at the end of the block."""
    environment = dict(os.environ)
    in_main = threading.current_thread() is threading.main_thread()
    answers = {n: signal.getsignal(n) for n in ENDINGS} if in_main else {}
    try:
        with _same_folder():
            yield
    finally:
        for name in {*os.environ, *environment}:  # other threads see no empty one meanwhile
            if name not in environment:
                del os.environ[name]
            elif os.environ.get(name) != environment[name]:
                os.environ[name] = environment[name]
        for number, answer in answers.items():
            if answer is not None and signal.getsignal(number) is not answer:
                signal.signal(number, answer)


def _same_folder() -> AbstractContextManager[object]:
    try:
        return chdir(os.getcwd())
    except FileNotFoundError:  # somebody deleted it
        return nullcontext()
