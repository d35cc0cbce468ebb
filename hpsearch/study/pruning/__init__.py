"""Trials that a pruner ends inside a stage, at rungs."""
