"""The tables of a study file, one a file: model, checks, what may change on resume."""
