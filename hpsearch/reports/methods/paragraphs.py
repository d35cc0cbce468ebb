"""How a study was done, a paragraph a subject."""

from __future__ import annotations

from collections.abc import Iterator

from hpsearch.datasets import DATASETS
from hpsearch.records.layout import Artifact
from hpsearch.reports.methods.passage import Fact, Name, Parts, Passage, listed, say
from hpsearch.reports.methods.places import FILES, Places
from hpsearch.reports.methods.space import search_space
from hpsearch.reports.methods.words import (
    DIGEST,
    cite,
    counted,
    pruner_words,
    sampler_words,
    split_words,
)
from hpsearch.reports.served_model import model_problem, served
from hpsearch.study.code_checks import repeat_texts
from hpsearch.study.stored_space import kept_space
from hpsearch.studyfile.arms import SHOTS
from hpsearch.studyfile.space import Space

# Packages whose versions a text names, by their names in a record's environment, and their own.
PACKAGES = {
    "hpsearch": "hpsearch",
    "optuna": "Optuna",
    "numpy": "NumPy",
    "scipy": "SciPy",
    "scikit-learn": "scikit-learn",
}


def paragraphs(places: Places) -> Iterator[Passage]:
    """All of them, but for what was found."""
    subjects = {
        "Data": _data,
        "Search space": search_space,
        "Search": _search,
        "Confirmation": _confirmation,
        "Test": _test,
        "Software and hardware": _surroundings,
    }
    for title, make in subjects.items():
        sentences = tuple(make(places))
        if sentences:
            yield Passage(title, sentences)


def _data(places: Places) -> Iterator[Parts]:
    data = places.study.data
    if data is None:
        yield say(
            "The trained program or function brought its own data, which hpsearch did not see"
        )
        if places.study.n_splits > 1:
            name = next(n for n, t in places.study.all_programs.items() if t.folds > 1)
            where = ("program",) if name == "program" else ("programs", name.partition(".")[2])
            folds = places.file.fact(*where, "folds")
            yield say("Every configuration was trained on {folds}", folds=counted(folds, "fold"))
        return
    digests = places.each("trial", "digests", "data")
    yield say(
        "The data is {name}{source} ({digest} of the rows learned from: {hash})",
        name=Name(data.name.rpartition("/")[2]),
        source=cite("data", data.name),
        digest=DIGEST,
        hash=listed(digests),
    )
    yield from _table(places)
    if data.shots is not None:
        drawn = "at random" if data.draw == "random" else "in the order of the file"
        shots = places.file.fact("data", "shots")
        yield say(
            "For each class, {shots} were drawn {drawn}",
            shots=counted(shots, "example"),
            drawn=drawn,
        )
    if data.class_weight is not None:
        yield say("Every class had the same weight in training")
    yield say(
        "Configurations were validated by {split} ({digest} of the row numbers: {hash})",
        split=split_words(places, places.file.at("data", "split")),
        digest=DIGEST,
        hash=listed(places.each("trial", "digests", "splits")),
    )
    beside = data.split.made().beside_shots
    if (data.shots is not None or SHOTS in places.study.compare) and not beside:
        yield say("Validation rows were taken from these examples, so that no others were seen")


def _table(places: Places) -> Iterator[Parts]:
    """Of a table what its card says."""
    data = places.study.data
    card = places.folder.read_json(places.folder.files.artifact(Artifact.TABLE_JSON))
    if not card or data is None or data.name in DATASETS:
        return
    rows = places.artifact(Artifact.TABLE_JSON).fact("rows")
    if data.target is None:
        yield say("It has {rows} to learn from", rows=counted(rows, "row"))
    else:
        yield say(
            "It has {rows} to learn from; the column {target} was predicted",
            rows=counted(rows, "row"),
            target=Name(data.target),
        )
    if places.study.prepared:
        yield say(
            "Scaling, imputation and encoding of its columns were fitted on the training rows of "
            "each split only"
        )


def _search(places: Places) -> Iterator[Parts]:
    study = places.study
    yield say(
        "Configurations were drawn by {sampler}, {batch} at a time, with the seed {seed}, on "
        "Optuna{source}",
        sampler=sampler_words(places),
        batch=places.file.fact("sampler", "batch"),
        seed=places.file.fact("seed"),
        source=cite("software", "optuna"),
    )
    if study.sampler.weighs_seconds:
        yield say(
            "To make the most of the time, the expected improvement of a candidate was divided by "
            "a power of its training time, which was forecast from the times of the trials before"
            "{source}",
            source=cite("sampler", "per second"),
        )
    if expected := [Name(name) for name in (kept_space(places.folder) or Space((), {})).priors]:
        shaped = (
            "the draws, with a weight that fell as results came in, faster where these disagreed"
            if study.sampler.proposal == "gp"
            else "the first draws"
        )
        yield say(
            f"Priors on {{names}} shaped {shaped}{{source}}",
            names=listed(expected),
            source=cite("sampler", "priors"),
        )
    if study.enqueue:
        yield say(
            "The first {number} were specified in advance",
            number=counted(places.file.how_many("enqueue"), "configuration"),
        )
    if study.warm_start is not None:
        yield say("The best configurations of an earlier study are among them, without scores")
    if study.learn_from:
        kept = places.artifact(Artifact.LEARNED)
        yield say(
            "The search learned from the trials and scores of {number}{source}",
            number=counted(kept.how_many("studies"), "earlier study", "earlier studies"),
            source=cite("sampler", "earlier"),
        )
    if study.outer is not None:
        yield say(
            "The whole search was run once for each outer fold of {split}, without the rows of "
            "the fold, on which its winner was then tested, and once on all rows; the following "
            "refers to the search on all rows",
            split=split_words(places, places.file.at("validation", "outer")),
        )
    yield from _objective(places)
    yield from _stages(places)
    if places.found is not None and (n := len(places.found.chapters)):
        drawn = [
            counted(places.in_result.fact("chapters", place, "trials"), "trial")
            for place in range(n)
        ]
        yield say(
            "After its result was known, the run was extended: its {n} drew {drawn}, each with "
            "the results of those before, and the plan is that of the last",
            n=counted(places.in_result.how_many("chapters"), "chapter"),
            drawn=listed(drawn),
        )
    if study.folds_as_needed:
        yield say(
            "A configuration that was behind after some folds, by more than one standard error of "
            "the paired differences, was stopped before the others{source}",
            source=cite("pruner", "folds-as-needed"),
        )
    if study.pruner is not None:
        yield say(
            "Within a stage, trials were pruned by {pruner} after {rungs}",
            pruner=pruner_words(places),
            rungs=_rungs(places, len(study.pruner.rungs)),
        )
    if study.evaluation.seeds > 1:
        yield say(
            "Every configuration was trained with {seeds} on each split, and its score is "
            "the mean",
            seeds=counted(places.file.fact("evaluation", "seeds"), "seed"),
        )
    budget = [
        say(
            "{name} = {value}", name=Name(f"budget.{name}"), value=places.file.fact("budget", name)
        )
        for name in ("epochs", "seconds", "plateau", "target")
        if getattr(study.budget, name) is not None
    ]
    if budget:
        yield say("The search was limited by {budget}", budget=listed(budget))


def _objective(places: Places) -> Iterator[Parts]:
    study = places.study
    goals = [
        say("{name} ({direction}d)", name=Name(goal.name), direction=goal.direction)
        for goal in study.goals
    ]
    at = "its best epoch" if study.objective.best_epoch else "the last epoch"
    if len(goals) == 1:
        yield say("They were ranked by {goal} at {at}", goal=goals[0], at=at)
    else:
        yield say(
            "They were ranked by their Pareto fronts{source} in {goals}",
            source=cite("sampler", "nsga2"),
            goals=listed(goals),
        )
    if study.constraints:
        yield say(
            "Those that violated {limits} ranked after all others",
            limits=listed([_limit(places, i) for i in range(len(study.constraints))], "or"),
        )


def _limit(places: Places, place: int) -> Parts:
    limit = places.study.constraints[place]
    side = "at_most" if limit.at_most is not None else "at_least"
    return say(
        "{metric} {side} {value}",
        metric=Name(limit.metric),
        side=side.replace("_", " "),
        value=places.file.fact("constraints", place, side),
    )


def _stages(places: Places) -> Iterator[Parts]:
    stages = places.study.stages
    plans: list[Parts] = []
    for place in range(len(stages)):
        trials, epochs = (places.file.fact("stages", place, key) for key in ("trials", "epochs"))
        noun = counted(trials, "configuration") if place == 0 else (trials,)
        length = counted(epochs, "epoch")
        if stages[place].rows is None:
            plans.append(say("{trials} for {epochs}", trials=noun, epochs=length))
        else:
            rows = counted(places.file.fact("stages", place, "rows"), "training row")
            text = "{trials} for {epochs} on {rows} of each fold"
            plans.append(say(text, trials=noun, epochs=length, rows=rows))
    later = range(1, len(stages))
    shares = [places.file.fact("stages", place, "promote") for place in later]
    whose = " of each case" if places.study.compare else ""
    yield say("The plan{whose} was to train {plans}", whose=whose, plans=listed(plans))
    if places.study.has_fewer_rows:
        yield say(
            "The rows of a smaller stage are among those of a larger one and the same for all "
            "trials; a trial that was promoted to more rows was trained from the start"
        )
    if not shares:
        return
    shares = shares[:1] if len({share.text for share in shares}) == 1 else shares
    yield say(
        "At the end of each stage, the best trials were promoted to the next one{source} and made "
        "up {fractions} of {shares} of the planned trials there",
        source=cite("sampler", "stages"),
        fractions="a fraction" if len(shares) == 1 else "fractions",
        shares=listed(shares),
    )
    controls = [places.file.fact("stages", n, "controls") for n in later if stages[n].controls]
    if controls:
        yield say(
            "As controls, {controls} randomly chosen trials that were not promoted continued as "
            "well",
            controls=listed(controls),
        )


def _rungs(places: Places, n: int) -> Parts:
    """Lengths in epochs: "2, 4 and 8 epochs"."""
    rungs = [places.file.fact("pruner", "rungs", place) for place in range(n)]
    return counted(rungs[0], "epoch") if n == 1 else say("{rungs} epochs", rungs=listed(rungs))


def _run(places: Places, key: str) -> Fact:
    """A number of [confirmation] as it was run: a budget may have left less than the file says."""
    if places.found is not None and places.found.extent:
        return places.in_result.fact("extent", key)
    return places.file.fact("confirmation", key)


def _confirmation(places: Places) -> Iterator[Parts]:
    study = places.study
    top, seeds = (_run(places, key) for key in ("top", "seeds"))
    number: Parts = () if top.text == "1" else say("{top} ", top=top)
    yield say(
        "The {number}{best}{whose} of the search were trained again from scratch {how}"
        if number
        else "The {best}{whose} of the search was trained again from scratch {how}",
        number=number,
        best="best configurations" if number else "best configuration",
        whose=" of each case" if study.compare else "",
        how=_repeats(places, seeds),
    )
    if places.protocol > 1:
        yield say(
            "Repeats have the same seeds for all configurations, so that differences are paired"
        )
    if number:
        yield _choice(places)
    if places.records["default"]:
        yield say("{defaults} in the same way", defaults=_defaults(places, "run"))


def _defaults(places: Places, what: str) -> str:
    if places.study.compare:
        return f"The configurations of all defaults, one for each case, were {what}"
    return f"The configuration of all defaults was {what}"


def _choice(places: Places) -> Parts:
    confirmation = places.study.confirmation
    the = "In each case, the" if places.study.compare else "The"
    if confirmation.choose == "best":
        return say(f"{the} one with the best mean was chosen, whatever its score in the search")
    return say(
        f"{the} cheapest configuration, by {{cheap}}, within one standard error of the best was "
        "chosen{source}",
        cheap=Name(confirmation.cheap),
        source=cite("choice", confirmation.choose),
    )


def _repeats(places: Places, seeds: Fact) -> Parts:
    if not places.study.draws_anew:
        return say("on the splits of the search with {seeds}", seeds=counted(seeds, "fresh seed"))
    return say(
        "on {draws} of the split that the search had not seen, with a fresh seed each ({digest} "
        "of the row numbers: {hash})",
        draws=counted(seeds, "fresh draw"),
        digest=DIGEST,
        hash=listed(places.each("confirmation", "digests", "splits")),
    )


def _test(places: Places) -> Iterator[Parts]:
    study = places.study
    if not study.is_tested:
        yield say("There is no test set: the reported scores were measured on validation data")
        return
    tested = next((r for r in places.records["test"] if r.members[0].predicted), None)
    size: Parts = ()
    if tested is not None:
        rows = places.record(tested).how_many("members", 0, "predicted")
        size = say(" of {rows}", rows=counted(rows, "row"))
    digests = places.each("test", "digests", "test")
    shown: Parts = ()
    if digests:
        shown = say(" ({digest}: {hash})", digest=DIGEST, hash=listed(digests))
    earlier = places.found.tested_chapters[:-1] if places.found is not None else []
    if study.protocol == "honest" and earlier:
        yield say(
            "The test set{size}{shown} had no part in the choice, but its scores in {n} were "
            "known when the run was extended",
            size=size,
            shown=shown,
            n="the earlier chapter" if len(earlier) == 1 else "the earlier chapters",
        )
    elif study.protocol == "honest":
        yield say(
            "The test set{size}{shown} was not used before the choice", size=size, shown=shown
        )
    else:
        yield say(
            "Every trial was scored on the test set{size}{shown} after every epoch, according to "
            "the protocol {name}",
            size=size,
            shown=shown,
            name=Name(study.protocol),
        )
    seeds = _run(places, "test_seeds")
    yield say(
        "The chosen configuration{whose} was then refitted with {seeds} on training and "
        "validation data together, and each refit was scored on the test set once",
        whose=" of each case" if study.compare else "",
        seeds=counted(seeds, "seed"),
    )
    if places.found is not None and places.found.default is not None:
        defaults = _defaults(places, "refitted and scored")
        yield say("{defaults} in the same way", defaults=defaults)
    if places.found is not None:
        uses = places.in_result.fact("test_uses")
        yield say(
            "In all runs of this study the test set was used for {uses}",
            uses=counted(uses, "configuration"),
        )
        yield from _model(places)


def _model(places: Places) -> Iterator[Parts]:
    """What new rows are predicted with, where it is not the first refit."""
    winner = places.result.best_number
    record = served(places.folder, winner)
    if record is not None and record.is_unscored:
        yield say(
            "The model handed out was fitted on all rows, those of the test set too, after the "
            "test; it has no score of its own"
        )
    elif problem := model_problem(places.folder, winner):
        why = Fact(problem, f"{FILES['all-rows']}#/reason")
        yield say("The model handed out is the first refit, because {why}", why=why)


def _surroundings(places: Places) -> Iterator[Parts]:
    software = []
    for package, shown in PACKAGES.items():
        versions = places.each("trial", "environment", f"version.{package}")
        if versions:
            source = cite("software", package) if package == "scikit-learn" else ()
            software.append(
                say(
                    "{name} {versions}{source}",
                    name=shown,
                    versions=listed(versions),
                    source=source,
                )
            )
    pythons = places.each("trial", "environment", "python")
    if software:
        yield say(
            "Software: {software}, on Python {python}",
            software=listed(software),
            python=listed(pythons),
        )
    commits = places.each("trial", "environment", "commit")
    if commits:
        dirty = any(r.environment.get("dirty") == "True" for r in places.records["trial"])
        changed = ", with changes that it does not hold" if dirty else ""
        yield say(
            "The study file's repository was at commit {commits}{changed}",
            commits=listed(commits),
            changed=changed,
        )
    code = places.each("trial", "code", "*")
    if code:
        yield say("The digest of our own code was {code}", code=listed(code))
    machines = places.each("trial", "machines", "*", part=1)
    if machines:
        threads = places.each("trial", "environment", "threads")
        yield say(
            "Trials ran on {machines}{threads}",
            machines=listed(machines),
            threads=say(
                ", each with {threads} of its numerical libraries",
                threads=counted(threads[0], "thread"),
            )
            if len(threads) == 1
            else (),
        )
    for text in repeat_texts(places.folder, exact=True):
        yield say("Repeatability: {text}", text=Fact(text, "code_checks.json#"))
    if places.records["trial"]:
        yield say(
            "All {trials} took {time} of training in total",
            trials=counted(places.n_records("trial"), "trial"),
            time=places.time("trial", "wall_seconds"),
        )
