"""What limits a result, as findings: advice on a study file is for its author, not for readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpsearch.analysis.failures import failures
from hpsearch.records.outcome import Outcome
from hpsearch.reports.methods.intervals import LEVEL
from hpsearch.reports.methods.passage import Fact, Name, Parts, listed, say
from hpsearch.reports.methods.places import FILES, Places
from hpsearch.reports.methods.words import case_words, counted
from hpsearch.study.code_checks import code_warnings, repeat_texts
from hpsearch.study.confirmation.extent import Extent
from hpsearch.study.verdict import NO_TEST

# What became of trials, of several and of one.
ENDS = {
    Outcome.COMPLETE: ("were trained to the end", "was trained to the end"),
    Outcome.PRUNED: ("were stopped early or not promoted", "was stopped early or not promoted"),
    Outcome.DIVERGED: ("diverged (which counts as the worst)",) * 2,
    Outcome.FAILED: ("failed",) * 2,
    Outcome.PAUSED: ("waited to be promoted",) * 2,
    Outcome.RUNNING: ("had not reached the end of a stage",) * 2,
}
SIDES = {"low": "lower", "high": "upper"}


def ended(outcome: Outcome, n: int) -> str:
    """What became of so many trials, after their number."""
    return ENDS[outcome][n == 1]


def limitations(places: Places) -> Iterator[Parts]:
    """The sentences of the paragraph; of a search without a result, what became of its trials."""
    yield from _trials(places)
    if places.found is not None:
        yield from _limits(places)


def _trials(places: Places) -> Iterator[Parts]:
    """Trials that ended badly, with the reasons."""
    found = failures(places.records["trial"])
    for outcome in (Outcome.FAILED, Outcome.DIVERGED):
        reasons = [
            Fact(failure.reason, f"{FILES['trial']}#/reason")
            for failure in found
            if failure.outcome is outcome
        ]
        if reasons:
            yield say(
                "{trials} {what} ({reasons})",
                trials=counted(_ended(places, outcome), "trial"),
                what=ended(outcome, int(_ended(places, outcome).text)),
                reasons=listed(reasons),
            )


def _ended(places: Places, outcome: Outcome) -> Fact:
    """How many trials ended so."""
    if places.found is None:
        return places.n_ended("trial", outcome)
    return places.in_result.fact("counts", outcome)


def _limits(places: Places) -> Iterator[Parts]:
    result = places.result
    if result.untested:
        why = places.in_result.fact("untested")
        if why.text == NO_TEST:
            why = Fact("the study has no test data", why.place)
        yield say("The chosen configuration was not tested: {why}", why=why)
    out = [entry for entry in result.top if entry["not_confirmed"]]
    for entry in out:
        place = result.top.index(entry)
        yield say(
            "Trial {number}, among the best of the search, {outcome} in a confirmation run and "
            "was not confirmed",
            number=places.in_result.fact("top", place, "number"),
            outcome=entry["not_confirmed"],
        )
    for place, arm in enumerate(result.arms):
        if arm.failure:
            yield say(
                "Case {case}: {why}",
                case=case_words(places, place),
                why=places.in_result.fact("arms", place, "failure"),
            )
    if result.outer is not None and result.outer.failure:
        yield say("Outer folds: {why}", why=places.in_result.fact("outer", "failure"))
    if result.kept_splits:
        yield say(
            "The best were confirmed on the splits of the search, which had already been used to "
            "select them"
        )
    if result.shortened:
        yield _shortened(places)
    if result.no_default:
        why = places.in_result.fact("no_default")
        # Behind the colon stands what to write in the study file.
        said = Fact(why.text.partition(": ")[0], why.place)
        yield say("Note that {why}", why=said)
    if result.ended:
        yield say(
            "The search was cut by {budget} before it was complete", budget=Name(result.ended)
        )
    for place in range(len(result.unmet)):
        yield say(
            "The chosen configuration violates {limit}",
            limit=places.in_result.fact("unmet", place),
        )
    if result.optimistic:
        yield say(
            "Validation scores are optimistic: {why}", why=places.in_result.fact("optimistic")
        )
    if result.saw_test:
        yield say("Test scores are optimistic: {why}", why=places.in_result.fact("saw_test"))
    for place, one in enumerate(result.fidelity):
        if one["predicts"] is False:
            yield _fidelity(places, place, one)
    for alarm in result.alarms:
        yield from _edge(places, alarm)
    for text in (*code_warnings(places.folder), *repeat_texts(places.folder, exact=False)):
        yield say("{text}", text=Fact(text, "code_checks.json#"))


def _shortened(places: Places) -> Parts:
    """How much less was confirmed and tested than the study file asks for."""
    full = Extent.of(places.study)._asdict()
    less = [name for name, n in places.result.extent.items() if n != full[name]]
    said = [
        say(
            "{name} = {now} instead of {full}",
            name=Name(name),
            now=places.in_result.fact("extent", name),
            full=places.file.fact("confirmation", name),
        )
        for name in less
    ]
    what = say(" ({changes})", changes=listed(said)) if said else ()
    return say("Confirmation and test were shortened to fit the budget{what}", what=what)


def _fidelity(places: Places, place: int, one: Mapping[str, object]) -> Parts:
    """That the ranking after one stage is not that after the next."""
    at = places.in_result.at("fidelity", place)
    case = (
        say("In the search of {case}, the", case=Name(str(one["arm"])))
        if one.get("arm")
        else ("The",)
    )
    short, long = counted(at.fact("epochs"), "epoch"), counted(at.fact("then"), "epoch")
    if one.get("between"):  # of other rows, by the numbers of the stages
        stage = int(str(one["stage"]))
        stages = places.study.stages[stage : stage + 2]
        lengths = [places.file.fact("stages", stage + n, "epochs") for n in (0, 1)]
        short, long = (
            say("{length}{rows}", length=counted(length, "epoch"), rows=settings.on_rows)
            for length, settings in zip(lengths, stages, strict=True)
        )
    return say(
        "{case} ranking of trials after {short} agreed poorly with that after {long} (rank "
        "correlation {rho}, {level} interval from {low} to {high}, over {trials}), so promotion "
        "may have missed better configurations",
        case=case,
        short=short,
        long=long,
        rho=at.fact("rho", form=".2f"),
        level=LEVEL,
        low=at.fact("low", form=".2f"),
        high=at.fact("high", form=".2f"),
        trials=counted(at.fact("n"), "trial"),
    )


def _edge(places: Places, alarm: str) -> Iterator[Parts]:
    """That the best trials lie at the end of a range."""
    for place, row in enumerate(places.result.ranges):
        if alarm in row.get("alarms", ()):
            side = row["edges"][row["alarms"].index(alarm)]
            at = places.in_result.at("ranges", place)
            yield say(
                "The best trials lie at the {side} end of the range of {name} ({range}), so the "
                "optimum may be outside it",
                side=SIDES[side],
                name=Name(row.get("key") or row["parameter"]),
                range=at.fact("declared"),
            )
            return
    for place, known in enumerate(places.result.alarms):
        if known == alarm:  # of an older result, whose ranges don't say it
            yield say("{alarm}", alarm=places.in_result.fact("alarms", place))
            return
