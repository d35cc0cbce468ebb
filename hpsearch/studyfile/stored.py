"""Study files as they were understood, in the records of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hpsearch.datasets.table import ENDINGS, NUMBERS
from hpsearch.errors import StudyFileError
from hpsearch.studyfile.schema_problems import translate
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.sampler import COARSE_TO_FINE

OLD_CONFIRMATION: Mapping[str, Any] = {"splits": "kept", "default": False}
OLD_RULE = 1  # of the sampler's proposals
MOST = 3  # problems in the line; one is enough to see that a version does not fit


def stored_file(content: Any, run: str) -> StudyFile:
    """The study file that a run was started with.

    Args:
        content: as `StudyFile.model_dump(mode="json")` gave it.
        run: the name of the run.

    Raises:
        StudyFileError: another version of hpsearch wrote it, with keys that this one doesn't know
            or without some that it needs.
    """
    try:
        return StudyFile.model_validate(_as_meant_then(content))
    except ValidationError as error:
        details = error.errors(include_url=False)
    found = list(dict.fromkeys(map(_difference, details)))
    shown = "; ".join(found[:MOST]) + (f"; {len(found) - MOST} more" if len(found) > MOST else "")
    raise StudyFileError(
        f"run {run!r} must have a study file of this version of hpsearch, got one with {shown}: "
        "use the version that wrote it, or start a new run with --fresh",
        [translate(detail) for detail in details],
    )


def _as_meant_then(content: Any) -> Any:
    """With what older versions did where a key that they did not have now says otherwise."""
    if not isinstance(content, dict):
        return content
    sampler, data = content.get("sampler"), content.get("data")
    confirmation = content.get("confirmation")
    if isinstance(confirmation, dict):  # they knew no fresh splits, and ran no defaults
        content = {**content, "confirmation": {**OLD_CONFIRMATION, **confirmation}}
    if isinstance(sampler, dict):
        drawn: dict[str, Any] = {"repeats": True}  # they always drew on
        if sampler.get("name") == COARSE_TO_FINE:
            drawn["rule"] = OLD_RULE
        content = {**content, "sampler": {**drawn, **sampler}}
    if (
        isinstance(data, dict)
        and "columns" not in data
        and str(data.get("name")).endswith(ENDINGS)
    ):
        content = {**content, "data": {**data, "columns": NUMBERS}}  # they knew no others
    return content


def _difference(detail: ErrorDetails) -> str:
    problem = translate(detail)
    if detail["type"] == "extra_forbidden":
        return f"the unknown key {problem.key}"
    if detail["type"] == "missing":
        return f"no key {problem.key}"
    return " ".join(str(problem).split())
