"""Several studies side by side: whether their scores can be compared, who leads, and by how much.

Studies are ranked by the confirmed validation scores of their winners. A choice by the test set
would make it a part of the search. A difference is a mean of pairs where the records say that the
winners were run on the same splits and seeds; else it is that of two means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hpsearch.analysis.costs import Cost
from hpsearch.analysis.estimates import unpaired
from hpsearch.analysis.paired import Repeats, paired, ratio_of
from hpsearch.records.estimate import Estimate
from hpsearch.records.result import Result
from hpsearch.studyfile.differences import KeyDifference, differences
from hpsearch.studyfile.own_modules import own_names
from hpsearch.studyfile.study_file import StudyFile


@dataclass(frozen=True)
class ComparedStudy:
    """A run of a study beside others.

    Attributes:
        name: "quickstart", or "quickstart/2".
        state: as of RunState.
        protocol: of its confirmation, 1 or 2.
        counts: trials by outcome, those there are.
        result: None as long as it is not finished.
        repeats: of the winner; None without a result.
        searched: the best score of the search so far, where there is no result yet.
    """

    name: str
    file: StudyFile
    state: str
    protocol: int
    counts: Mapping[str, int]
    cost: Cost
    result: Result | None
    repeats: Repeats | None
    searched: float | None = None

    @property
    def validation(self) -> Estimate | None:
        """The winner's objective, confirmed."""
        return None if self.result is None else self.result.validation

    @property
    def test(self) -> Estimate | None:
        """The same on the test set."""
        return None if self.result is None else self.result.test_score

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        result = self.result
        known = {
            "study": self.name,
            "state": self.state,
            "counts": {**self.counts},
            "cost": asdict(self.cost),
            "objective": {
                "metric": self.file.objective.name,
                "direction": self.file.objective.direction,
            },
            "searched": self.searched,
        }
        return known | {
            "best_trial": result.best_number if result else None,
            "best_params": result.searched if result else None,
            "validation": asdict(result.validation) if result else None,
            "test": asdict(self.test) if self.test else None,
            "test_uses": result.test_uses if result else None,
            "optimistic": self.file.optimistic(),
            "unmet": list(result.unmet) if result else [],
            "outer": asdict(outer) if (outer := outer_score(self)) else None,
        }


@dataclass(frozen=True)
class Difference:
    """By how much the leading study's winner is better than another one's.

    Attributes:
        study: the other one.
        metric: in which.
        lead: positive where the leading one is better.
        unpaired: why repeats are no pairs; "" where they are.
    """

    study: str
    metric: str
    lead: Estimate
    unpaired: str

    @property
    def text(self) -> str:
        """What the leading study is, in a sentence without its subject."""
        lead = self.lead
        how = f"unpaired: {self.unpaired}" if self.unpaired else f"paired over {lead.of_what}"
        if lead.values and not any(lead.values) and not self.unpaired:
            return f"is exactly as good as {self.study}, {how}"
        if lead.low is None:
            where = "ahead of" if lead.mean > 0 else "behind" if lead.mean < 0 else "level with"
            return f"is {where} {self.study}: {lead.signed}, without an interval, {how}"
        if lead.sign > 0:
            return f"is better than {self.study} by {lead.signed}, {how}"
        if lead.sign < 0:
            return f"is worse than {self.study}: {lead.signed}, {how}"
        return f"is indistinguishable from {self.study}: {lead.signed}, {how}"


@dataclass(frozen=True)
class ComparedStudies:
    """Several studies side by side.

    Attributes:
        studies: best first where they are ranked, else as they were named.
        obstacle: why their scores can't be compared, a sentence; "" where they can.
        doubt: what must be believed for it, a sentence; "" for nothing.
        leads: of the first over the others, in validation; [] where they are not ranked.
        test_leads: the same on the test set, where both were tested on the same rows.
        keys: what differs between the study files, in the order of `studies`.
    """

    studies: Sequence[ComparedStudy]
    obstacle: str
    doubt: str
    leads: Sequence[Difference] = ()
    test_leads: Sequence[Difference] = ()
    keys: Sequence[KeyDifference] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        names = [study.name for study in self.studies]
        return {
            "ranked": not self.obstacle,
            "obstacle": self.obstacle,
            "doubt": self.doubt,
            "studies": [study.as_dict() for study in self.studies],
            "leads": [_lead_dict(one) for one in self.leads],
            "test_leads": [_lead_dict(one) for one in self.test_leads],
            "differing_keys": [
                {"key": one.key, "values": dict(zip(names, one.values, strict=True))}
                for one in self.keys
            ],
        }


def compared(
    studies: Sequence[ComparedStudy],
    test_lead: Callable[[ComparedStudy, ComparedStudy], Difference | None],
) -> ComparedStudies:
    """Put studies side by side.

    Args:
        test_lead: of the first over the second on the test set; None where it can't be told.
    """
    obstacle = obstacle_to_ranking(studies)
    ordered = list(studies) if obstacle else sorted(studies, key=_rank_key)
    keys = differences([study.file for study in ordered])
    if obstacle:
        return ComparedStudies(ordered, obstacle, "", keys=keys)
    first, *others = ordered
    tested = [test_lead(first, other) for other in others]
    return ComparedStudies(
        ordered,
        "",
        _doubt(ordered),
        [_validation_lead(first, other) for other in others],
        [one for one in tested if one is not None],
        keys,
    )


def outer_score(study: ComparedStudy) -> Estimate | None:
    """What a nested search is worth, by its objective on the outer folds; None of others."""
    result = study.result
    return (
        None if result is None or result.outer is None else result.outer.test.get(result.test_name)
    )


def obstacle_to_ranking(studies: Sequence[ComparedStudy]) -> str:
    """Why the scores of studies can't be compared, in one sentence; "" where they can."""
    missing = [study for study in studies if study.result is None or study.repeats is None]
    if missing:
        which = "; ".join(f"{study.name} is {study.state}" for study in missing)
        return f"Not ranked, because only a finished study has a confirmed score: {which}."
    for of, rule in RULES:
        kinds = defaultdict[str, list[str]](list)
        for study in studies:
            kinds[of(study)].append(study.name)
        if len(kinds) > 1:
            which = "; ".join(f"{text} in {' and '.join(names)}" for text, names in kinds.items())
            return f"Not ranked, because {rule}: {which}.{_other_shots(studies, rule)}"
    return ""


def _objective(study: ComparedStudy) -> str:
    objective = study.file.objective
    return f"{objective.name}, to {objective.direction}"


def _data(study: ComparedStudy) -> str:
    assert study.repeats is not None
    digest = study.repeats.digests.get("data")
    if digest:
        return f"digest {digest}"
    return f"data known only to {' and '.join(own_names(study.file)) or 'its trainer'}"


def _splits(study: ComparedStudy) -> str:
    assert study.repeats is not None
    data = study.file.data
    if data is None:
        return f"{study.file.n_splits} made by the trainer itself"
    said = data.split.model_dump(exclude={"kind", "folds_as_needed"})  # winners have all folds
    given = ", ".join(f"{k} = {v}" for k, v in said.items())
    kind = f"{data.split.made().kind}{given and ' ('}{given}{given and ')'}"
    if study.file.draws_anew and study.protocol > 1:
        return f"{kind}, drawn again"
    # On the splits of the search, which must then be the same ones.
    return f"{kind}, as in the search, with digest {study.repeats.digests.get('splits')}"


def _protocol(study: ComparedStudy) -> str:
    reason = study.file.optimistic()
    flattering = f", optimistic as {reason}" if reason else ""
    return f'protocol = "{study.file.protocol}"{flattering}'


DATA = "they learn from different rows"
# What must be the same in all studies: in words, and what it is called where it is not.
RULES: Sequence[tuple[Callable[[ComparedStudy], str], str]] = (
    (_objective, "they optimize different objectives"),
    (_data, DATA),
    (_splits, "their winners are scored on different splits"),
    (_protocol, "their scores are measured in different ways"),
)


def _other_shots(studies: Iterable[ComparedStudy], rule: str) -> str:
    """That another seed draws other shots, where nothing else tells the rows apart."""
    files = [study.file for study in studies]
    same = all(file.data == files[0].data for file in files)
    drawn = files[0].data is not None and files[0].data.shots is not None
    seeds = dict.fromkeys(str(file.seed) for file in files)
    if rule != DATA or not same or not drawn or len(seeds) < 2:
        return ""
    return f" Seeds {' and '.join(seeds)} draw different shots; give the studies the same seed."


def _doubt(studies: Sequence[ComparedStudy]) -> str:
    first = studies[0].repeats
    if first is not None and not first.digests:
        return (
            "Only the trainers know their data; the scores are compared as if they came from the "
            "same rows."
        )
    return ""


def _rank_key(study: ComparedStudy) -> tuple[bool, float]:
    """Winners that miss a constraint come last."""
    assert study.result is not None
    sign = _sign(study)
    return bool(study.result.unmet), -sign * study.result.validation.mean


def _sign(study: ComparedStudy) -> float:
    return 1.0 if study.file.objective.direction == "maximize" else -1.0


def _validation_lead(first: ComparedStudy, other: ComparedStudy) -> Difference:
    mine, theirs = first.repeats, other.repeats
    assert mine is not None
    assert theirs is not None
    assert first.validation is not None
    assert other.validation is not None
    metric, reason = first.file.objective.name, _no_pairs(first, other)
    if reason:
        lead = signed_difference(first.validation, other.validation, _sign(first))
        return Difference(other.name, metric, lead, reason)
    ratio = ratio_of(mine, theirs, (first.validation, other.validation))
    return Difference(other.name, metric, paired(mine, theirs, ratio, _sign(first)), "")


def signed_difference(first: Estimate, second: Estimate, sign: float) -> Estimate:
    """The difference of two means, positive where the first is better.

    Args:
        sign: 1 where higher is better, else -1.
    """
    return unpaired(first, second) if sign > 0 else unpaired(second, first)


def _no_pairs(first: ComparedStudy, other: ComparedStudy) -> str:
    """Why the repeats of two winners are no pairs; "" where they are."""
    mine, theirs = first.repeats, other.repeats
    assert mine is not None
    assert theirs is not None
    if first.file.seed != other.file.seed:
        return f"seed = {first.file.seed} and {other.file.seed}"
    if len(mine.draws) != len(theirs.draws):
        return f"confirmation.seeds = {len(mine.draws)} and {len(theirs.draws)}"
    if first.protocol != other.protocol:
        return "an older version confirmed one of them differently"
    if mine.digests != theirs.digests:
        return "their fresh splits differ"
    return "" if mine.draws == theirs.draws else "their repeats have different seeds"


def _lead_dict(one: Difference) -> dict[str, Any]:
    return {
        "study": one.study,
        "metric": one.metric,
        "lead": asdict(one.lead),
        "paired": not one.unpaired,
        "unpaired": one.unpaired,
    }
