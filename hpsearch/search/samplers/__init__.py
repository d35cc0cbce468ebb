"""Samplers: usable in any Optuna study, and Optuna's own made fit for batches and restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpsearch.late import late_names

if TYPE_CHECKING:
    from hpsearch.search.samplers.base import StudySampler
    from hpsearch.search.samplers.coarse_to_fine import CoarseToFineSampler
    from hpsearch.search.samplers.grid import GridSampler
    from hpsearch.search.samplers.named import NamedSampler

__all__ = ["CoarseToFineSampler", "GridSampler", "NamedSampler", "StudySampler"]

if not TYPE_CHECKING:  # a type checker would take every name for one
    __getattr__, __dir__ = late_names(
        __name__,
        {
            "CoarseToFineSampler": "hpsearch.search.samplers.coarse_to_fine",
            "GridSampler": "hpsearch.search.samplers.grid",
            "NamedSampler": "hpsearch.search.samplers.named",
            "StudySampler": "hpsearch.search.samplers.base",
        },
    )
