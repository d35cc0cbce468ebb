"""The prepared pages of a study in MLflow, and of studies that are compared."""
