"""Scores of a user's own: functions of what is true and what was predicted, by "module:name"."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import StudyFileError, TrialFailed
from hpsearch.own_code import load_module
from hpsearch.trainers import Answers

# Names of the second argument that ask for probabilities; any other gets predictions.
PROBABILITIES = ("probabilities", "y_prob", "y_proba", "y_score")
BY_NAME = ("sample_weight", "classes")
SHAPE = "(y_true, y_pred), or (y_true, probabilities)"


@dataclass(frozen=True)
class OwnScore:
    """A function, and what it takes.

    Attributes:
        name: as the study file has it.
        probabilities: it takes those, else predictions.
        extra: those of BY_NAME that it takes.
    """

    name: str
    function: Callable[..., Any]
    probabilities: bool
    extra: frozenset[str]

    def value(
        self,
        labels: NDArray[Any],
        answers: Answers,
        weights: NDArray[np.float64] | None,
        classes: Sequence[str],
    ) -> float:
        """What it returns.

        Raises:
            TrialFailed: there are no probabilities, or it returns no number.
        """
        given = answers.probabilities if self.probabilities else answers.predicted
        if given is None:
            raise TrialFailed(
                f"{self.name} must be given probabilities, and the trainer gives none: name its "
                "second argument y_pred, or take another trainer"
            )
        known: Mapping[str, Any] = {"sample_weight": weights, "classes": tuple(classes)}
        found = self.function(labels, given, **{name: known[name] for name in self.extra})
        if isinstance(found, str | bytes) or np.size(found) != 1:
            raise TrialFailed(f"{self.name} must return a number, got {type(found).__name__}")
        return float(np.asarray(found).item())


def load_score(name: str) -> OwnScore:
    """The function behind "module:name".

    Raises:
        StudyFileError: it can't be imported, or takes other arguments.
    """
    module, _, function_name = name.partition(":")
    try:
        function = getattr(load_module(module), function_name)
    except (Exception, SystemExit) as error:
        raise StudyFileError(
            f"must be importable as module:function, beside the study file or on the Python "
            f"path, got {type(error).__name__}: {error}"
        ) from error
    if not callable(function):
        raise StudyFileError(f"must be a function, got {type(function).__name__}")
    parameters = inspect.signature(function).parameters
    extra = [one for one in BY_NAME if one in parameters]
    try:
        inspect.signature(function).bind(None, None, **dict.fromkeys(extra))
    except TypeError as error:
        rule = f"must be a function of {SHAPE}, which may take {' and '.join(BY_NAME)} by name"
        shown = f"{function_name}{inspect.signature(function)}"
        raise StudyFileError(f"{rule}, got {shown}") from error
    second = [*parameters][1]
    return OwnScore(name, function, second in PROBABILITIES, frozenset(extra))
