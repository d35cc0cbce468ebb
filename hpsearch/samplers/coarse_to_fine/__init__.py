"""Coarse-to-fine search: the sampler, its model, its candidates."""
