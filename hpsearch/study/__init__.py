"""The coordinator of a study: the only writer of its records and of its Optuna storage."""
