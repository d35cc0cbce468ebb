"""A trainer that stays in its process between two slices of one training.

Only the one that trained last is kept, and only the very next slice of the process may go on with
it. Nothing has happened in between, not even to a generator that all code of the process shares:
it is as if there had been no pause, whatever the trainer's state leaves out.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, field, replace

from hpsearch.trainers import Member, Trainer


@dataclass(frozen=True)
class _Kept:
    """A trainer, and what the slice must be that goes on with it; and the folder it was in."""

    trainer: Trainer
    settings: object
    member: Member  # without its state
    digest: bytes  # of that
    folder: str = field(default="", compare=False)


_last: list[_Kept] = []  # one, or none


def take(settings: object, member: Member) -> Trainer | None:
    """The trainer that goes on with this member, if it trained last here; none is kept after."""
    kept = _last.pop() if _last else None
    if kept is None or kept != _kept(kept.trainer, settings, member):
        return None
    with suppress(OSError):  # somebody deleted it
        os.chdir(kept.folder or ".")
    return kept.trainer


def keep(trainer: Trainer, settings: object, member: Member) -> None:
    """Keep the trainer of a member with the state that it reached.

    Args:
        settings: the next slice must have equal ones.
    """
    folder = ""
    with suppress(OSError):
        folder = os.getcwd()
    _last[:] = [replace(_kept(trainer, settings, member), folder=folder)]


def _kept(trainer: Trainer, settings: object, member: Member) -> _Kept:
    digest = hashlib.sha256(member.state or b"").digest()
    return _Kept(trainer, settings, replace(member, state=None), digest)
