"""Optuna's side of a study: its trials, held against the records and filled from them."""
