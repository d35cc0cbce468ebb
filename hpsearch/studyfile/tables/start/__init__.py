"""The tables of a study file that say where a search starts."""
