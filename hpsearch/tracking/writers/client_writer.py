"""Runs by the calls of MLflow's client: for servers, and for schemas that nobody tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.tracking.writers.base import RunEnd, RunUpdate, RunWriter

if TYPE_CHECKING:
    from mlflow import MlflowClient


class ClientWriter(RunWriter):
    """One create_run, one log_batch and one set_terminated a run.

    Args:
        client: of the store.
        experiment: its id.
    """

    at_once = 1  # a call is a run's; a failure repeats no other run

    def __init__(self, client: MlflowClient, experiment: str) -> None:
        self._client, self._experiment = client, experiment

    def log(self, news: Sequence[RunUpdate]) -> list[str]:
        return [self._log(one) for one in news]

    def _log(self, news: RunUpdate) -> str:
        from mlflow.entities import Metric, Param, RunTag

        run_id, tags = news.run_id, news.tags
        if not run_id:
            run = self._client.create_run(
                self._experiment,
                start_time=news.started,
                run_name=news.name,
                tags=dict(tags),
            )
            run_id, tags = str(run.info.run_id), {}
        self._client.log_batch(
            run_id,
            metrics=[Metric(k, v, when, step) for k, v, when, step in news.points],
            params=[Param(k, v) for k, v in news.params.items()],
            tags=[RunTag(k, v) for k, v in tags.items()],
        )
        return run_id

    def log_files(self, run_id: str, texts: Mapping[str, str], files: Sequence[Path]) -> None:
        for name, text in texts.items():
            self._client.log_text(run_id, text, name)
        for file in files:
            self._client.log_artifact(run_id, str(file))

    def end(self, ends: Sequence[RunEnd]) -> None:
        for end in ends:
            if end.name:
                self._client.update_run(end.run_id, name=end.name)
            self._client.set_terminated(end.run_id, end.status, end_time=end.ended)
