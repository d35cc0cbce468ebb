"""The [warm_start] table of a study file: its schema."""

from __future__ import annotations

from pydantic import Field

from hpsearch.studyfile.tables.base import Table

MOST = 10_000  # configurations; more is no start but the search itself


class WarmStart(Table):
    """An Optuna study whose best configurations are tried first, after those of [[enqueue]].

    They are copied when a run is started for the first time: it goes on and repeats without the
    old study. Only configurations are taken, no scores, which were measured in another way.
    """

    storage: str = Field(
        min_length=1,
        description="an Optuna storage: a URL, the path of an SQLite or journal file, which "
        "starts at the study file's folder, or env:NAME, the environment variable that holds "
        "the URL, for those with a password",
    )
    study: str | None = Field(
        default=None,
        description="its study, in Optuna's name or, of an hpsearch study, in its own; left out: "
        "the only one there",
    )
    top: int = Field(
        default=5,
        ge=1,
        le=MOST,
        description="of its best complete trials that fit [space]; a few give a start, many "
        "leave the search nothing to look for itself",
    )
    names: dict[str, str] = Field(
        default_factory=dict,
        description="parameters that are named otherwise there: { lr = 'learning_rate' }",
    )
