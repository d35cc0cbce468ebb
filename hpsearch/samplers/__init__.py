"""Samplers for any Optuna study, and Optuna's own adapted to batches and restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpsearch.late import late_names

if TYPE_CHECKING:
    from hpsearch.samplers.base import StudySampler
    from hpsearch.samplers.coarse_to_fine.earlier import EarlierStudy
    from hpsearch.samplers.coarse_to_fine.priors import Prior
    from hpsearch.samplers.coarse_to_fine.sampler import CoarseToFineSampler
    from hpsearch.samplers.grid import GridSampler
    from hpsearch.samplers.named import NamedSampler

__all__ = [
    "CoarseToFineSampler",
    "EarlierStudy",
    "GridSampler",
    "NamedSampler",
    "Prior",
    "StudySampler",
]

if not TYPE_CHECKING:  # a type checker would take every name for one
    __getattr__, __dir__ = late_names(
        __name__,
        {
            "CoarseToFineSampler": "hpsearch.samplers.coarse_to_fine.sampler",
            "EarlierStudy": "hpsearch.samplers.coarse_to_fine.earlier",
            "GridSampler": "hpsearch.samplers.grid",
            "NamedSampler": "hpsearch.samplers.named",
            "Prior": "hpsearch.samplers.coarse_to_fine.priors",
            "StudySampler": "hpsearch.samplers.base",
        },
    )
