"""What a finished study is asked: beside a printed table, and claim by claim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from hpsearch.analysis.kept_answers import Answers
from hpsearch.claims import Evidence, Judgement, TunedCases, Verdict, load_check
from hpsearch.datasets.selection import open_pool
from hpsearch.records.layout import Artifact
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.spreadsheets import csv_text
from hpsearch.studyfile.reading import ReadStudy

ALPHA = 0.05  # as the 95 % intervals of single comparisons


def answer(
    read: ReadStudy, folder: RunFolder, result: Result, tuned: TunedCases | None = None
) -> Answers:
    """Answer all questions from the records, and write the files that say so.

    Runs on fresh seeds and tests of trials that led before more trials were added say nothing;
    nor do those of outer folds, which are of other rows.

    Args:
        tuned: the compared cases with their winners; None where nothing is compared.
    """
    files, trials = folder.files, list(folder.read_all("trial"))
    trials = [record for record in trials if read.arm_of(record.number).fold is None]
    agreement, beside = [], None
    files.artifact(Artifact.COMPARISON).unlink(missing_ok=True)
    if read.file.comparison is not None and _other_data(read, read.file.comparison.data) is None:
        table = read.file.comparison.printed(read.folder)
        beside = table.beside(trials, _n_scored(read, table.metric))
        agreement = table.agreement(beside)
        # A column that the table leaves empty in every row says nothing.
        empty = [name for name in table.read() if beside[name].eq("").all()]
        shown = beside.drop(columns=["trial", "printed", *empty])
        text = csv_text(shown, float_format="%.6g")
        files.artifact(Artifact.COMPARISON).write_text(text, encoding="utf-8")
    winners = {result.best_number, *(arm.best_number for arm in result.arms)}
    others: Sequence[TrialRecord] = [
        *(r for r in folder.read_all("confirmation") if str(r.number) in result.confirmed),
        *(r for r in folder.read_all("test") if r.number in winners),
    ]
    evidence = Evidence([*trials, *others], beside, read.folder, tuned)
    claims = [
        _judged(
            claim.model_dump(exclude={"data"}),
            evidence,
            files.claim_figure(number),
            _other_data(read, claim.data),
        )
        for number, claim in enumerate(read.file.claims, start=1)
    ]
    hold_by_holm(claims)
    for judged in claims:
        if hint := judged.get("hint"):
            judged["detail"] += f"; {hint}"
    for which, found in ((Artifact.CLAIMS, claims), (Artifact.AGREEMENT, agreement)):
        if found:
            folder.write_json(files.artifact(which), found)
        else:  # asked before, and no more
            files.artifact(which).unlink(missing_ok=True)
    return Answers(claims, agreement)


def _other_data(read: ReadStudy, about: str | None) -> Verdict | None:
    """What is said of a question about other data than the study's; None: it is about these."""
    name = read.file.data.name if read.file.data is not None else None
    if about in (None, name):
        return None
    said = f"not judged: the claim is about {about}, and this study's data is {name or 'its own'}"
    return Verdict("not shown", said)


def _judged(
    claim: dict[str, Any], evidence: Evidence, path: Path, known: Verdict | None
) -> dict[str, Any]:
    """A claim with its verdict; a check that breaks is no reason to lose the study's result.

    Args:
        known: the verdict, where nothing has to be asked.
    """
    path.unlink(missing_ok=True)
    try:
        verdict = known or load_check(claim["check"], claim["given"])(evidence, **claim["given"])
        if not isinstance(verdict, Verdict) or verdict.judgement not in get_args(Judgement):
            raise TypeError(f"a check must return a Verdict, got {verdict!r}")
        if verdict.figure is not None:
            verdict.figure.savefig(path, dpi=110)
    except Exception as error:
        verdict = Verdict("not shown", f"{type(error).__name__}: {error}")
    figure = path.name if path.exists() else ""
    said = {"verdict": verdict.judgement, "detail": str(verdict.detail), "figure": figure}
    p = {} if verdict.p is None else {"p": float(verdict.p)}
    return claim | said | p | ({"hint": verdict.hint} if verdict.hint else {})


def hold_by_holm(claims: Sequence[dict[str, Any]]) -> None:
    """Take back verdicts that several comparisons together do not bear.

    Source: Holm, "A simple sequentially rejective multiple test procedure" (1979).
    """
    tested = sorted((claim for claim in claims if "p" in claim), key=lambda claim: claim["p"])
    if len(tested) < 2:
        return
    adjusted = 0.0
    for place, claim in enumerate(tested):
        adjusted = min(1.0, max(adjusted, claim["p"] * (len(tested) - place)))
        claim["p_holm"] = adjusted
        claim["detail"] += f"; p {adjusted:.2g} by Holm's test over {len(tested)} comparisons"
        if adjusted > ALPHA:
            claim["verdict"] = "not shown"


def _n_scored(read: ReadStudy, metric: str) -> int:
    """Images that a metric of the study is a share of."""
    if metric.startswith("test"):
        return len(read.selection.dataset().test().labels)
    arm = next(arm for arm in read.arms if arm.fold is None)
    return len(open_pool(arm.selection).splits[0][metric.startswith("validation")])
