"""Samplers: usable in any Optuna study."""

from hpsearch.search.samplers.base import StudySampler
from hpsearch.search.samplers.coarse_to_fine import CoarseToFineSampler
from hpsearch.search.samplers.grid import GridSampler

__all__ = ["CoarseToFineSampler", "GridSampler", "StudySampler"]
