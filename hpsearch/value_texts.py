"""Values of hyperparameters in texts that people read."""

from __future__ import annotations


def value_text(value: object, form: str = "") -> str:
    """A value as a person reads it, spelled as in a study file: true, not True.

    Args:
        form: the format of a float, e.g. ".4g"; "": all its digits.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, form) if isinstance(value, float) else str(value)
