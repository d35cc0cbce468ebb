"""What a finished study is asked: beside a printed table, and claim by claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpsearch.claims import Evidence, Verdict, load_check
from hpsearch.search.questions import printed_table
from hpsearch.search.reading import ReadStudy
from hpsearch.tracking.record import RunFolder, TrialRecord

CLAIMS, COMPARISON, AGREEMENT = "claims.json", "comparison.csv", "agreement.json"


@dataclass(frozen=True)
class Answers:
    """The answers of a study, as its files of artifacts have them.

    Attributes:
        claims: {text, check, given, verdict, detail, figure} each; figure is a file's name or "".
        agreement: {cells, n, equal, within_one_image, mean_absolute_difference} of each group of
            cells of the printed table.
    """

    claims: list[dict[str, Any]]
    agreement: list[dict[str, Any]]


def answer(read: ReadStudy, folder: RunFolder) -> Answers:
    """Answer all questions from the records, and write the files that say so."""
    trials = list(folder.read_all("trial"))
    agreement, beside = [], None
    if read.file.comparison is not None:
        table = printed_table(read.file.comparison, read.folder)
        test = read.selection.dataset().test()
        beside = table.beside(trials, len(test.labels))
        agreement = table.agreement(beside)
        shown = beside.drop(columns=["trial", "printed"])
        shown.to_csv(folder.artifacts / COMPARISON, index=False, float_format="%.6g")
        folder.write_json(f"{folder.artifacts.name}/{AGREEMENT}", agreement)
    others: Sequence[TrialRecord] = [
        *folder.read_all("confirmation"),
        *folder.read_all("test"),
    ]
    evidence = Evidence([*trials, *others], beside, read.folder)
    claims = [
        _judged(number, claim.model_dump(), evidence, folder.artifacts)
        for number, claim in enumerate(read.file.claims, start=1)
    ]
    if claims:
        folder.write_json(f"{folder.artifacts.name}/{CLAIMS}", claims)
    return Answers(claims, agreement)


def answered(folder: RunFolder) -> Answers:
    """The answers that were written."""
    top = folder.artifacts.name
    return Answers(
        folder.read_json(f"{top}/{CLAIMS}") or [], folder.read_json(f"{top}/{AGREEMENT}") or []
    )


def _judged(
    number: int, claim: dict[str, Any], evidence: Evidence, artifacts: Path
) -> dict[str, Any]:
    """A claim with its verdict; a check that breaks is no reason to lose the study's result."""
    try:
        verdict = load_check(claim["check"], claim["given"])(evidence, **claim["given"])
    except Exception as error:
        verdict = Verdict("not shown", f"{type(error).__name__}: {error}")
    figure = f"claim_{number}.png" if verdict.figure is not None else ""
    if verdict.figure is not None:
        verdict.figure.savefig(artifacts / figure, dpi=110)
    return claim | {"verdict": verdict.judgement, "detail": verdict.detail, "figure": figure}
