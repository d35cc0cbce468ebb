"""Samplers: usable in any Optuna study."""

from hpsearch.search.samplers.coarse_to_fine import CoarseToFineSampler

__all__ = ["CoarseToFineSampler"]
