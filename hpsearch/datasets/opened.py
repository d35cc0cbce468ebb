"""What is opened once a process, and opened again when a study starts.

A study's records carry the digest of its data. A cache that outlived it would have the next study
of the process trained on rows that its digest does not name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_caches: list[Any] = []


def opened_once(maxsize: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep what a function opened for its last `maxsize` arguments, until `forget_opened`."""

    def keep(function: Callable[P, T]) -> Callable[P, T]:
        cached = lru_cache(maxsize=maxsize)(function)
        _caches.append(cached)
        return cached  # type: ignore[return-value]  # lru_cache's wrapper takes any arguments

    return keep


def forget_opened() -> None:
    """Have everything opened again: a file may have changed since."""
    for cache in _caches:
        cache.cache_clear()
