"""The search space in a text: what was searched, compared, held fixed, and left at defaults."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from hpsearch.hyperparameters import hyperparameters
from hpsearch.optimizers import OPTIMIZERS
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.methods.passage import Fact, Name, Parts, listed, say
from hpsearch.reports.methods.places import Places
from hpsearch.reports.methods.words import cite, counted, names, trainer_words
from hpsearch.study.stored_space import kept_relations, kept_space
from hpsearch.studyfile.entries import trainer_names
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.study_file import StudyFile

# Settings of all trainers of networks that change what is learned, and that readers ask for.
SETTINGS = ("learning_rate_policy", "initial_weights", "loss")


def search_space(places: Places) -> Iterator[Parts]:
    """The sentences of the paragraph."""
    study, space = places.study, kept_space(places.folder) or Space((), {})
    keys = dict.fromkeys(p.key for p in space.parameters if p.name not in study.compare)
    trainers = [str(name) for name in trainer_names(study.space) or []]
    made = listed([trainer_words(name) for name in trainers])
    network = str(study.network.get("name", ""))
    in_network: Parts = ()
    if network:
        in_network = say(
            " ({network} network{source})", network=Name(network), source=cite("network", network)
        )
    yield say("Models were trained by {trainers}{network}", trainers=made, network=in_network)
    if study.compare:
        yield say(
            "Each {kind} of {compared} had its own search and budget",
            kind="combination" if len(study.compare) > 1 else "value",
            compared=listed(names(study.compare)),
        )
    if keys:
        but = f" but {', '.join(study.compare)}" if study.compare else ""
        number = Fact(str(len(keys)), f"space.json#/parameters (different names{but})")
        yield say(
            "The search was over {number}: {names}",
            number=counted(number, "hyperparameter"),
            names=listed(names(keys)),
        )
    relations = [
        Fact(text, f"space.json#/relations/{place}")
        for place, text in enumerate(kept_relations(places.folder))
    ]
    if relations:
        yield say("Only configurations with {relations} were drawn", relations=listed(relations))
    known = {*keys, *study.compare}
    fixed = [*_fixed(study, known)]
    if fixed:
        said = [
            say("{name} = {value}", name=Name(key[-1]), value=places.file.fact(*key))
            for key in fixed
        ]
        yield say("Held fixed: {fixed}", fixed=listed(said))
    yield say(
        "All other settings were the defaults of hpsearch and of the trainers' libraries{among}",
        among=_defaults(places, known | {key for _, key in fixed}),
    )


def _fixed(study: StudyFile, searched: Collection[str]) -> Iterator[tuple[str, str]]:
    """The plain values of [space], [network] and [prepare]."""
    for table in ("space", "network", "prepare"):
        for key, entry in getattr(study, table).items():
            plain = not isinstance(entry, dict | list)
            if plain and key not in searched and key not in ("trainer", "name"):
                yield table, key


def _defaults(places: Places, known: Collection[str]) -> Parts:
    """What nobody set of the optimizers of winners and of their training: first what all of them
    share, then what each has of its own.

    Args:
        known: what was searched, compared or set in the study file.
    """
    winners = _winners(places)
    holders: dict[tuple[str, str], list[str]] = {}  # of each name and value
    for trainer, record in winners.items():
        for name in (*SETTINGS, *hyperparameters(OPTIMIZERS[trainer])):
            if name not in known and name in record.params:
                holders.setdefault((name, repr(record.params[name])), []).append(trainer)
    groups: dict[tuple[str, ...], list[str]] = {}
    for (name, _), trainers in holders.items():
        groups.setdefault(tuple(trainers), []).append(name)
    found: list[Parts] = []
    for users, shared in sorted(groups.items(), key=lambda group: -len(group[0])):
        at = places.record(winners[users[0]]).at("params")
        values = [say("{name} = {value}", name=Name(n), value=at.fact(n)) for n in shared]
        whose = listed([OPTIMIZERS[trainer].__name__ for trainer in users])
        of_all = len(users) == max(len(winners), len(trainer_names(places.study.space) or ()))
        lead = () if of_all else say("for {whose}, ", whose=whose)
        found.append((*lead, *listed(values)))
    if not found:
        return ()
    first, *others = found
    rest = tuple(part for one in others for part in ("; ", *one))
    return say(", among them {first}{rest}", first=first, rest=rest)


def _winners(places: Places) -> Mapping[str, TrialRecord]:
    """The record of the first winner that each of our optimizers trained, by its name."""
    if places.found is None:
        return {}
    numbers = [arm.best_number for arm in places.found.arms] or [places.found.best_number]
    trials = {record.number: record for record in places.records["trial"]}
    found: dict[str, TrialRecord] = {}
    for number in numbers:
        if number is not None and (trainer := str(trials[number].params["trainer"])) in OPTIMIZERS:
            found.setdefault(trainer, trials[number])
    return found
