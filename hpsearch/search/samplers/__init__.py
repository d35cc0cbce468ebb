"""Samplers: usable in any Optuna study, and Optuna's own made fit for batches and restarts."""

from hpsearch.search.samplers.base import StudySampler
from hpsearch.search.samplers.coarse_to_fine import CoarseToFineSampler
from hpsearch.search.samplers.grid import GridSampler
from hpsearch.search.samplers.named import NamedSampler

__all__ = ["CoarseToFineSampler", "GridSampler", "NamedSampler", "StudySampler"]
