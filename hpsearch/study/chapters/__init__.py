"""Chapters of a run: a finished run goes on with a study file that asks for more."""
