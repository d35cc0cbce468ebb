"""A worker process: calls in, news and results out, until the other end of its pipe closes.

    python -m hpsearch.execution.worker FILE_DESCRIPTOR COORDINATOR_PID

A program of its own rather than a process of `multiprocessing`: nothing of the coordinator's
`__main__` is imported here, so that a user's script needs no guard, and a user's function may
start processes itself.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from multiprocessing.connection import Connection

from hpsearch.import_order import add_study_folder
from hpsearch.processes import end_tree

ORPHAN_CHECK_SECONDS = 0.5  # workers end within 2 s of their coordinator's death


def serve(pipe: Connection) -> None:
    """Answer each (function, args, kwargs, listens) with (True, result) or (False, exception).

    Where the caller listens, what the call tells goes before the answer, as (None, news).
    """
    path, folders = pipe.recv()
    for folder in folders:
        add_study_folder(folder)
    sys.path[:] = path  # the coordinator's: what it can import, its workers can
    import hpsearch.execution.population  # noqa: F401 - what the calls need, before the first
    from hpsearch.execution.live import heard

    pipe.send("ready")
    while True:
        try:
            fn, args, kwargs, listens = pipe.recv()
        except EOFError:
            return
        try:
            with heard(lambda news: pipe.send((None, news))) if listens else nullcontext():
                answer = (True, fn(*args, **kwargs))
        except Exception as error:
            answer = (False, error)
        pipe.send(answer)


def _watch(coordinator: int) -> None:
    while os.getppid() == coordinator:
        time.sleep(ORPHAN_CHECK_SECONDS)
    end_tree(os.getpid())  # this process too
    os._exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's to handle
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # it may print on a terminal in the background
    threading.Thread(target=_watch, args=(int(sys.argv[2]),), daemon=True).start()
    try:
        serve(Connection(int(sys.argv[1])))
    except (EOFError, ConnectionError):  # the coordinator is gone
        # A call ends once the watch has killed what it waited for, maybe before the watch has come
        # to the others: they must not outlive this process.
        end_tree(os.getpid())
        sys.exit(1)
