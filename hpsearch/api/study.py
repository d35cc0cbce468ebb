"""Running a study from its file to its result, with MLflow beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path
from types import MappingProxyType

from hpsearch.addresses import check_apart
from hpsearch.api.support.kept_reports import digest_of_file, keep_report, report_stamps
from hpsearch.api.support.projected import is_projected, projected
from hpsearch.api.support.report import Report
from hpsearch.api.support.stores import storage_of, tracking_of
from hpsearch.api.support.study_report import report_of
from hpsearch.datasets import DATASETS
from hpsearch.errors import (
    HpsearchError,
    StudyFailed,
    StudyFileError,
    WorkerError,
    plain_interrupts,
)
from hpsearch.execution.cluster import scheduler_address
from hpsearch.execution.executors import available_cores
from hpsearch.records.layout import Artifact, Home
from hpsearch.reports.parent import write_parent
from hpsearch.study.chapters.earlier import EarlierTrials
from hpsearch.study.events import Event, StudiesLearned, StudySized, TrackingAwaited
from hpsearch.study.opening import Run, as_begun, open_run
from hpsearch.study.plan import few_configurations
from hpsearch.study.starting.dry_start import dry_start
from hpsearch.study.starting.learned import LearnedStudy, keep_learned
from hpsearch.study.starting.packages import changed_packages
from hpsearch.study.starting.warm_start import warm_started
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import ReadStudy, read_study, read_text, refuse_unfit
from hpsearch.studyfile.tables.execution import gpu_slots
from hpsearch.studyfile.tables.limits import refuse_unenforced
from hpsearch.studyfile.tables.program import refuse_unlinkable
from hpsearch.tracking.projection import Projection


@plain_interrupts()
def run_study(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    home: str | Path | None = None,
    workers: int | None = None,
    executor: str | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    fresh: bool = False,
    extend: bool = False,
    minutes: float | None = None,
    accept_code: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
    warn: Callable[[str], None] = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Report:
    """Run or resume a study, or return its result if it is finished.

    Args:
        path: the study file.
        overrides: "key=value" pairs, as for --set.
        home: folder of all stores; None: HPSEARCH_HOME, otherwise mlruns/ in the current folder.
        workers: number of worker processes, 0 for this process; None: as in the file, otherwise
            one per core, or as many as the GPUs allow.
        executor: the scheduler of a Dask cluster, e.g. "dask://host:8786"; if `workers` is None,
            all its workers are used; None: as in the file, otherwise this machine.
        storage: Optuna's storage URL; None: HPSEARCH_STORAGE, otherwise SQLite in `home`.
        tracking_uri: MLflow's URI; None: HPSEARCH_TRACKING_URI, otherwise SQLite in `home`.
        fresh: start a new run of the study.
        extend: go on with a finished run whose file asks for more now, as its next chapter;
            without changes, resume or return the result as otherwise.
        minutes: size a new study to this time: its trials, repeats and refits; None: as in the
            file.
        accept_code: continue even if the user's own code has changed since the last start; each
            trial's record says which code it was trained with. Refits that failed are run again.
        on_event: called with every event.
        warn: called with one line for each problem that does not stop the study.
        stop: called at least once per second of training; once it returns True, the study waits
            for the running slices (10 s at most), writes them, and raises StudyStopped.
        tags: additional tags for the parent run in MLflow.

    Raises:
        StudyStopped: `stop` returned True; the same call resumes the study.
        HpsearchError: a known error, with a message for the user.
        KeyboardInterrupt: interrupted; the same call resumes the study.
    """
    if fresh and extend:
        raise StudyFileError(
            "--fresh starts a new run and --extend goes on with the finished one: give one of them"
        )
    warnings: list[str] = []
    warn = _listing(warn, warnings)
    read = read_study(Path(path), overrides)
    for doubt in read.file.doubts:
        warn(doubt)
    stores = Home.find(Path(home) if home else None)
    is_new = fresh or not stores.study(read.file.name).newest
    if is_new:
        refuse_unfit(read)  # before anything is made
    else:
        written = read
        read = as_begun(read, stores, overrides, extend=extend)
        if read.file.stages != written.file.stages:
            trials = " and ".join(str(stage.trials) for stage in read.file.stages)
            warn(
                f"the study keeps the size that --minutes gave it: {trials} trials; --fresh "
                "starts a new run"
            )
    count = workers if workers is not None else read.file.execution.workers
    place = executor or read.file.execution.executor
    cluster = scheduler_address(place) if place else ""
    slots: tuple[str, ...] = ()
    without_gpu: WorkerError | None = None
    try:
        slots = gpu_slots(read.file.execution, count, cluster)
    except WorkerError as error:  # a finished study is looked up on a machine without any
        if is_new:
            raise
        without_gpu = error
    if count is None and slots:
        count = len(slots)
    refuse_unenforced(read.file.limits, count, cluster)
    refuse_unlinkable(read.file.all_programs, tracking_of(stores, tracking_uri))
    if is_new and not cluster:
        for line in dry_start(read, slots[0] if slots else ""):
            warn(line)
    sizes: tuple[str, ...] = ()
    if minutes is not None and is_new:
        from hpsearch.api.support.sizing import sized

        found = sized(read, minutes, count, cluster)
        on_event(StudySized(found.text))
        sizes = found.overrides
        read = read_text(read.text, read.path, (*overrides, *sizes))
    elif minutes is not None:
        warn("--minutes sizes a new study; this one continues as it was started")
    warm = warm_started(read, stores, fresh=fresh, warn=warn)
    read = warm.read
    learned: list[LearnedStudy] | None = None
    if read.file.learn_from:
        from hpsearch.api.support.earlier_studies import earlier_studies, n_used

        learned = earlier_studies(read, stores, fresh=fresh, warn=warn)
        used = {one.name: n_used(read, one) for one in learned or ()}
    stores.create()
    database, uri = storage_of(stores, storage), tracking_of(stores, tracking_uri)
    if (database, uri) != (stores.storage_url, stores.tracking_uri):
        check_apart(database, uri)
    run = open_run(read, stores, fresh=fresh, accept_code=accept_code, sized=sizes, extend=extend)
    try:
        if extend and run.chapter.number > 1:
            known = [*run.folder.read_all("trial")]
            for line in EarlierTrials.of(read.file, run.folder, run.chapter, known).stranded():
                warn(line)
        run.folder.sweep()
        if warm.source is not None:
            run.folder.write_sealed(run.folder.files.artifact(Artifact.WARM_START), warm.source)
        if learned is not None:
            keep_learned(run.folder, learned)
            on_event(StudiesLearned(used))
        study = Study(
            read,
            run,
            database,
            count,
            stop=stop,
            cluster=cluster,
            slots=slots,
            tracking_uri=uri,
        )
        finished = study.finished() is not None
        if without_gpu is not None and not finished:
            raise without_gpu
        if not finished:
            _warn_before(read, run, count, cluster, warn)
        alone = not (overrides or warnings) and _needs_nothing_else(read)
        file = digest_of_file(read.path, read.text) if alone else None
        return _run(study, read, run, stores, uri, on_event, warn, tags, file)
    finally:
        run.folder.sweep()  # the projector may have been killed
        run.close()


def _listing(warn: Callable[[str], None], warnings: list[str]) -> Callable[[str], None]:
    """A function that calls `warn` and appends the line to a list."""

    def warn_and_list(line: str) -> None:
        warnings.append(line)
        warn(line)

    return warn_and_list


def _needs_nothing_else(read: ReadStudy) -> bool:
    """Whether a study depends on no code, program, data or printed table of the user's own."""
    file = read.file
    own_data = file.data is not None and file.data.name not in DATASETS
    return not (read.code or file.all_programs or own_data or file.comparison)


def _warn_before(
    read: ReadStudy, run: Run, count: int | None, cluster: str, warn: Callable[[str], None]
) -> None:
    """Of what is odd about a study that is about to go on."""
    batch, n_members = read.file.sampler.batch, read.file.n_members
    workers = count or 0
    if count is None and not cluster:
        workers = available_cores()
    if workers > batch * n_members:
        warn(
            f"sampler.batch = {batch} keeps {batch * n_members} of {workers} workers busy; in a "
            f"new study, sampler.batch = {ceil(workers / n_members)} would use all of them"
        )
    if not run.repeats:
        for line in few_configurations(read.file, read.arms):
            warn(line)
    if changed := changed_packages(run.folder, read):
        warn(changed)


def _run(
    study: Study,
    read: ReadStudy,
    run: Run,
    home: Home,
    uri: str,
    on_event: Callable[[Event], None],
    warn: Callable[[str], None],
    tags: Mapping[str, str],
    file: str | None,
) -> Report:
    """
    Args:
        file: as for `keep_report`.
    """
    projection = Projection(
        run.folder, home, uri, warn, lambda line: on_event(TrackingAwaited(line))
    )
    stamps, result = report_stamps(run.folder.files), study.finished()
    there = uri != home.tracking_uri or home.mlflow.exists()
    if result is not None and there and is_projected(run.folder, read.file, uri):
        report = report_of(projection, result, ran=False, missing="")
        keep_report(run.folder.files, stamps, report, file)
        return report
    run.folder.files.failed.unlink(missing_ok=True)
    write_parent(read, run, result, tags=tags)
    if result is not None:
        projection.start()
    try:
        ran = result is None
        if result is None:

            def tell(event: Event) -> None:
                # From the first on, when the storage is open: to load MLflow takes seconds of a
                # core, for which the first trials would have to wait.
                projection.keep_alive()
                on_event(event)

            result = study.execute(tell)
        from hpsearch.reports.artifacts import write_artifacts  # loads pandas: the search is over

        write_artifacts(read, run.folder, result)
        write_parent(read, run, result, tags=tags)
        run.folder.announce({"kind": "parent"})
    except BaseException as error:
        with suppress(HpsearchError):  # a full disk is not to hide what happened
            if isinstance(error, StudyFailed):
                run.folder.write_sealed(run.folder.files.failed, {"reason": str(error)})
            write_parent(read, run, None, status="KILLED", tags=tags)
            run.folder.announce({"kind": "parent"})
        with suppress(OSError):  # no process can be started
            projection.finish(seconds=5)  # what is not sent then is sent by the next start
        raise
    complete = projection.finish()
    if complete:
        run.folder.write_sealed(run.folder.files.projected, projected(run.folder, read.file, uri))
    return report_of(projection, result, ran=ran, missing="" if complete else projection.problem)
