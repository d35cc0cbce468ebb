"""Claims about the results of a study, each with a computed check and its verdict.

A study file names a check from the catalogue below, or "module:function" of a module beside it. A
check is called with the Evidence and the arguments that the file gives it, and returns a Verdict.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from hpsearch.claims.evidence import Evidence, Judgement, Verdict
from hpsearch.claims.tuned_cases import TunedCases, TunedDifference, case_place
from hpsearch.errors import unknown
from hpsearch.trainers import load_function

__all__ = [
    "CHECKS",
    "Check",
    "Evidence",
    "Judgement",
    "TunedCases",
    "TunedDifference",
    "Verdict",
    "case_place",
    "check_arguments",
    "find_check",
    "load_check",
]

Check = Callable[..., Verdict]
CHECKS = ("better_tuned", "higher", "lower", "alike", "gap")


def load_check(name: str, arguments: Mapping[str, object]) -> Check:
    """The check of this name, which takes these arguments.

    Raises:
        ValueError: there is none, or it does not take these arguments.
        StudyFileError: its module can't be imported.
    """
    check = find_check(name)
    check_arguments(check, name, arguments)
    return check


def find_check(name: str) -> Check:
    """The check of this name.

    Raises:
        ValueError: there is none.
        StudyFileError: its module can't be imported.
    """
    if ":" not in name and name not in CHECKS:
        raise ValueError(unknown(name, [*CHECKS, "module:function"]))
    if name not in CHECKS:
        return load_function(name)
    from hpsearch.claims import checks  # here, as it loads pandas and SciPy

    check: Check = getattr(checks, name)
    return check


def check_arguments(check: Check, name: str, arguments: Mapping[str, object]) -> None:
    """Check that a check takes these arguments.

    Raises:
        ValueError: it does not take them.
    """
    try:
        inspect.signature(check).bind(None, **arguments)
    except TypeError as error:
        takes = ", ".join(list(inspect.signature(check).parameters)[1:])
        raise ValueError(f"must have arguments that {name} takes ({takes}): {error}") from error
