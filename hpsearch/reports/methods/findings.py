"""What a study found, and what it did not: a claim that fails is written as one that fails."""

from __future__ import annotations

from collections.abc import Iterator

from hpsearch.analysis.kept_answers import answered
from hpsearch.records.layout import Artifact
from hpsearch.records.outcome import Outcome
from hpsearch.reports.methods.intervals import estimate_words
from hpsearch.reports.methods.limits import ended, limitations
from hpsearch.reports.methods.passage import Fact, Name, Parts, Passage, listed, say
from hpsearch.reports.methods.places import DRAWN, Places
from hpsearch.reports.methods.words import cite, counted
from hpsearch.study.confirmation.ablation import Step

# What is said of a claim, by its verdict.
VERDICTS = {
    "holds": "The claim “{text}” holds in these runs: {detail}",
    "does not hold": "The claim “{text}” does not hold in these runs: {detail}",
    "depends": "Whether “{text}” holds depends on the case: {detail}",
    "not shown": "The claim “{text}” is not shown by these runs, which allow either answer: "
    "{detail}",
}


def findings(places: Places, failure: str) -> Iterator[Passage]:
    """The result and what limits it.

    Args:
        failure: why a run without a result has none.
    """
    if places.found is None:
        text = Fact(failure, "failed.json#/reason")
        yield Passage("Result", (say("The search ended without a result: {why}", why=text),))
    else:
        yield Passage("Result", tuple(_result(places)))
    claims = tuple(_claims(places))
    if claims:
        yield Passage("Claims", claims)
    steps = tuple(_steps(places))
    if steps:
        yield Passage("Which values matter", steps)
    if sentences := tuple(limitations(places)):
        yield Passage("Limitations", sentences)


def _result(places: Places) -> Iterator[Parts]:
    result, test = places.result, places.result.test_name
    yield _counts(places)
    searched: list[Parts] = [
        say(
            "{name} = {value}",
            name=Name(name),
            value=places.in_result.fact("searched", name, form=DRAWN),
        )
        for name in result.searched
    ]
    params = say(" with {params}", params=listed(searched)) if searched else ()
    yield say(
        "Trial {number} was chosen{params}",
        number=places.in_result.fact("best_number"),
        params=params,
    )
    yield say(
        "Its {objective} is {estimate} on validation data",
        objective=Name(result.objective),
        estimate=estimate_words(result.validation, places.in_result.at("validation")),
    )
    if result.test_score is not None:
        yield say(
            "Its {metric} is {estimate} on the test set",
            metric=Name(test),
            estimate=estimate_words(result.test_score, places.in_result.at("test", test)),
        )
    if result.objectives:
        yield say(
            "The Pareto front over fresh seeds has {members}; the chosen one is the best in "
            "{first}",
            members=counted(places.in_result.how_many("front"), "configuration"),
            first=Name(result.objective),
        )
    if result.choice:
        yield say("{why}", why=places.in_result.fact("choice"))
    if result.arms:
        yield say(
            "It is the best of {n} cases by the confirmed mean",
            n=places.in_result.how_many("arms"),
        )
    yield from _outer(places)
    yield from _gain(places)
    yield from _leads(places)


def _counts(places: Places) -> Parts:
    """What became of the trials."""
    counts = places.result.counts
    said = [
        say(
            "{number} {ended}",
            number=places.in_result.fact("counts", outcome),
            ended=ended(Outcome(outcome), n),
        )
        for outcome, n in counts.items()
    ]
    if len(said) == 1 and sum(counts.values()) > 1:
        (outcome,) = counts
        words = ended(Outcome(outcome), sum(counts.values()))
        number = counted(places.in_result.fact("counts", outcome), "trial")
        return say("All {number} {ended}", number=number, ended=words)
    total = counted(places.n_records("trial"), "trial")
    return say("Of {total}, {counts}", total=total, counts=listed(said))


def _outer(places: Places) -> Iterator[Parts]:
    """What the whole search is worth, on rows of outer folds."""
    result = places.result
    if result.outer is None:
        return
    score, at = result.outer.test.get(result.test_name), places.in_result.at("outer")
    if score is not None:
        yield say(
            "On outer folds, which their searches did not see, the winners of such a search have "
            "a {metric} of {score}",
            metric=Name(result.test_name),
            score=estimate_words(score, at.at("test", result.test_name)),
        )
    if result.outer.gain is not None:
        yield say(
            "There its gain over the defaults is {gain}",
            gain=estimate_words(result.outer.gain, at.at("gain")),
        )


def _gain(places: Places) -> Iterator[Parts]:
    """What tuning gained over the defaults, on the test set or else on validation data."""
    result = places.result
    default = result.default
    if default is None:
        return
    gain, key, metric = default.test_gain, "test_gain", result.test_name
    if gain is None:
        gain, key, metric = default.gain, "gain", result.objective
    if gain is None:
        why = places.in_result.fact("default", "failure")
        yield say("The defaults have no score: {why}", why=why)
        return
    verdict = {
        1: "It is better than the configuration of all defaults, in {metric} by {gain}",
        -1: "Tuning lost: it is worse than the configuration of all defaults; the difference in "
        "{metric} is {gain}",
        0: "No difference from the configuration of all defaults can be shown; in {metric}, it is "
        "{gain}",
    }
    words = estimate_words(gain, places.in_result.at("default", key))
    yield say(verdict[gain.sign], metric=Name(metric), gain=words)


def _leads(places: Places) -> Iterator[Parts]:
    """Whether the chosen configuration is better than the next, and than other cases' winners."""
    for place, lead in enumerate(places.result.leads):
        if place and not lead.arm:
            continue
        case = say(" ({case})", case=Name(lead.arm)) if lead.arm else ()
        words = estimate_words(lead.lead, places.in_result.at("leads", place, "lead"))
        better = "It is better than trial {number}{case} by {lead}"
        alike = "It can't be distinguished from trial {number}{case}; the difference is {lead}"
        yield say(
            better if lead.lead.sign > 0 else alike,
            number=places.in_result.fact("leads", place, "number"),
            case=case,
            lead=words,
        )


def _steps(places: Places) -> Iterator[Parts]:
    """The way from the defaults to the chosen configuration, where it was run."""
    told = places.artifact(Artifact.ABLATION_JSON)
    if not told.content:
        return
    yield say(
        "From the defaults to the chosen configuration, the values were changed one after the "
        "other{source}, in the order of the gains that a model of the trials predicted, each on "
        "the splits and seeds of the confirmation",
        source=cite("interval", "ablation"),
    )
    for place, said in enumerate(told.content):
        step, at = Step.from_dict(said), told.at(place)
        values = [
            say("{name} = {value}", name=Name(name), value=at.fact("changed", name))
            for name in step.changed
        ]
        if step.gain is None:
            why = at.fact("failure")
            yield say("With {values} there is no score: {why}", values=listed(values), why=why)
            continue
        yield say(
            "With {values} the gain is {gain}: {verdict}",
            values=listed(values),
            gain=estimate_words(step.gain, at.at("gain")),
            verdict="it " + step.verdict,
        )


def _claims(places: Places) -> Iterator[Parts]:
    claims = answered(places.folder).claims
    together = sum("p_holm" in claim for claim in claims)
    if together:
        place_of = f"artifacts/{Artifact.CLAIMS}# (how many have p_holm)"
        yield say(
            "Claims about differences were tested together by Holm's test{source} over {n} "
            "comparisons",
            source=cite("interval", "holm"),
            n=Fact(str(together), place_of),
        )
    for place, claim in enumerate(claims):
        text = places.artifact(Artifact.CLAIMS).fact(place, "text")
        detail = places.artifact(Artifact.CLAIMS).fact(place, "detail")
        # A hint at another check is for who writes the study file.
        detail = Fact(detail.text.removesuffix(f"; {claim.get('hint', '')}"), detail.place)
        yield say(VERDICTS[claim["verdict"]], text=text, detail=detail)
