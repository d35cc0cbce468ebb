"""Classes of one's own that a study file names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hpsearch.errors import unknown
from hpsearch.own_code import load_module

Base = TypeVar("Base")


def class_of_ones_own(name: str, base: type[Base], known: Sequence[str]) -> type[Base]:
    """The class behind "package.module:Class".

    Args:
        base: what it must be derived from.
        known: the names that could be meant where it is no such path.

    Raises:
        ValueError: it is no such path, can't be imported, or is no such class.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        raise ValueError(
            f"{unknown(name, known)}; a class of your own is written package.module:Class"
        )
    try:
        found = getattr(load_module(module), attribute)
    except Exception as error:
        raise ValueError(
            f"must be importable, got {name!r}: {type(error).__name__}: {error}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, base)):
        kind = f"{base.__module__.removesuffix('._base')}.{base.__name__}"
        raise ValueError(f"must be a class derived from {kind}, got {name!r}")
    return found
