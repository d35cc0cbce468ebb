"""The coordinator of a study: the only writer of its records and of its Optuna storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from optuna.storages import BaseStorage

from hpsearch.errors import StudyFailed
from hpsearch.execution.base import SliceExecutor
from hpsearch.execution.examples import open_data
from hpsearch.execution.making import make_executor
from hpsearch.records.result import Result, read_result, write_result
from hpsearch.study.arm_search import ArmSearch
from hpsearch.study.events import ArmFailed, Event
from hpsearch.study.opening import Run
from hpsearch.study.storage.advisory_lock import held_in_database
from hpsearch.study.storage.sole_writer import SoleWriter
from hpsearch.study.storage.trials import open_storage, storage_trouble, storage_troubles
from hpsearch.study.stored_space import keep_arms
from hpsearch.study.training import Training, Trains
from hpsearch.study.verdict import verdict
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.reading import ReadStudy


@dataclass
class Study:
    """One run of a study file: the searches of its arms, one after another; those of outer folds
    before the one whose winner sees the test set.

    Args:
        read: the study file.
        run: its open run.
        storage_url: Optuna's storage.
        workers: processes; 0: this one; None: one a core, or all of the cluster.
        stand_in: what trains instead of a training; a replay of a study plays back what its
            records say.
        stop: asked again and again; the study ends soon after it says True.
        cluster: the address of a Dask scheduler whose workers are used; "": none.
        file_for: the study file as an arm's search follows it; a replay has that of the time
            when the arm's trials were promoted.
        tracking_uri: of MLflow, for programs whose own runs are to lie below the trials'.
        slots: the GPUs of each worker, as for `make_executor`.
    """

    read: ReadStudy
    run: Run
    storage_url: str
    workers: int | None
    stand_in: Callable[[Training], Trains] = lambda training: training
    stop: Callable[[], bool] = lambda: False
    cluster: str = ""
    file_for: Callable[[ReadStudy, Arm], ReadStudy] = lambda read, arm: read
    tracking_uri: str = ""
    slots: tuple[str, ...] = ()

    def finished(self) -> Result | None:
        """The result, if all that the file asks for was done before."""
        return read_result(self.run.folder, *self.read.file.scope)

    def execute(self, tell: Callable[[Event], None] = lambda event: None) -> Result:
        """Run what is left of the study.

        Args:
            tell: called with each event; what it raises interrupts the study, as Ctrl-C does.

        Raises:
            StudyFailed: every trial so far failed, or none has a score in the end; where arms are
                compared, in every one of them, in a nested search in any.
            DataError: the data set is missing or too small.
            StorageError: a store can't be used.
            StudyStopped: `stop` said so.
        """
        arms = self.read.arms
        with self._held(), make_executor(self.workers, self.cluster, self.slots) as executor:
            # They start and open the data while this process does.
            for _ in range(executor.workers):
                executor.submit(open_data, arms[0].selection)
            try:
                with closing(SoleWriter(open_storage(self.storage_url))) as storage:
                    keep_arms(self.run.folder, self.read.space, arms)
                    searches = [self._search(arm, storage, executor, tell) for arm in arms]
                    for search in searches:
                        _execute(search)
                result = verdict(self.read, self.run, searches)
                if self.read.file.fits_all_rows and result.test and not result.untested:
                    _fit_all_rows(searches, result.best_number)
            except BaseException:
                executor.shutdown(cancel_futures=True)
                raise
        write_result(self.run.folder, *self.read.file.scope, result)
        finished = self.finished()
        assert finished is not None
        return finished

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the study in its database too."""
        try:
            with held_in_database(self.storage_url, self.run.storage_name()):
                yield
        except Exception as error:  # no interrupt, which may come while sqlalchemy is loaded
            if not isinstance(error, storage_troubles()):
                raise
            raise storage_trouble(self.storage_url, error) from error

    def _search(
        self,
        arm: Arm,
        storage: BaseStorage,
        executor: SliceExecutor,
        tell: Callable[[Event], None],
    ) -> ArmSearch:
        return ArmSearch(
            read=self.file_for(self.read.of_arm(arm), arm),
            run=self.run,
            arm=arm,
            storage=storage,
            executor=executor,
            tell=tell,
            stand_in=self.stand_in,
            stop=self.stop,
            tracking_uri=self.tracking_uri,
        )


def _fit_all_rows(searches: Sequence[ArmSearch], winner: int) -> None:
    """Train the winner of all searches on all rows; what it is worth is known by now."""
    (search,) = (search for search in searches if winner in search.confirmed)
    search.finals.fit_all_rows(search.records[winner])


def _execute(search: ArmSearch) -> None:
    """An arm that fails is a result of the comparison, unless it is the only one.

    A nested search that leaves a fold out says nothing.
    """
    arm = search.arm
    try:
        search.execute()
    except StudyFailed as error:
        if arm.fold is not None:
            raise StudyFailed(f"{arm.name}: {error}") from error
        if arm.n_arms == 1 or search.file.outer is not None:
            raise
        search.failure = str(error)
        search.tell(ArmFailed(search.arm.name, str(error)))
