"""Databases of MLflow: the one that belongs to a home, and those in one file."""
