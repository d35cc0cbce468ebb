"""How many threads the libraries of a training may use: the same wherever it runs.

Sums of several threads are rounded in another order, so that the last digits depend on their
number. And a population's matrices are small: two BLAS threads were 3-33 times slower under load.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hpsearch.processes import changed_environment, thread_environment

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

THREADS = 1


def thread_variables() -> dict[str, str]:
    """The environment of a process that trains."""
    return thread_environment(THREADS)


@contextmanager
def limited_threads() -> Iterator[None]:
    """Hold this process to THREADS in the block: libraries that are loaded, and those that load.

    PyTorch has threads of its own beside OpenMP's; it is asked where it is loaded, never loaded.
    """
    torch = sys.modules.get("torch")
    torch_threads = torch.get_num_threads() if torch is not None else 0
    try:
        if torch is not None:
            torch.set_num_threads(THREADS)
        libraries = _libraries(len(sys.modules)).limit(limits=THREADS)
        with changed_environment(thread_variables()), libraries:
            yield
    finally:
        if torch is not None:
            torch.set_num_threads(torch_threads)


@lru_cache(maxsize=1)
def _libraries(n_modules: int) -> ThreadpoolController:
    """All that are loaded. To look costs milliseconds; another one comes with another module."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def call_with_limited_threads(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """The call's result, in a process whose environment is not ours; it stays limited.

    Calls may overlap there: none may give the others' threads back.
    """
    from threadpoolctl import threadpool_limits

    os.environ.update(thread_variables())
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(THREADS)
    threadpool_limits(limits=THREADS)
    return fn(*args, **kwargs)
