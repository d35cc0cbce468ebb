"""What things of a study file are called in a text, and what is cited for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hpsearch.counts import noun_of
from hpsearch.datasets.split_kinds import SPLITS
from hpsearch.optimizers import OPTIMIZERS
from hpsearch.records.layout import Artifact
from hpsearch.reports.methods.passage import (
    BY_DEFINITION,
    Cite,
    Fact,
    Name,
    Part,
    Parts,
    listed,
    say,
)
from hpsearch.reports.methods.places import Branch, Places
from hpsearch.reports.methods.references import Family, cited
from hpsearch.samplers.named import OPTUNA as SAMPLERS
from hpsearch.samplers.pruners import OPTUNA as PRUNERS
from hpsearch.samplers.pruners import ParetoOptions
from hpsearch.trainers import is_program
from hpsearch.trainers.boosters import LIBRARIES

DIGEST = Fact("SHA-256", BY_DEFINITION)  # of all our digests, of which 16 digits are kept
# How the coarse-to-fine sampler draws, by `sampler.proposal`.
PROPOSALS = {
    "gp": "a Gaussian process chooses among random candidates, half of them around the best",
    "model-free": "increasingly close to the best trials",
    "random": "at random in a box around the best trials that is halved repeatedly",
    "uniform": "at random over the whole ranges",
}
# Samplers that are no class of Optuna's.
OURS = {
    "coarse-to-fine": "the coarse-to-fine sampler of hpsearch",
    "grid": "a grid, every combination once",
    "listed": "no sampler, because all of them are listed in the study file",
    "qmc": "scrambled Sobol points",
}


def cite(family: Family, *names: str) -> tuple[Part, ...]:
    """What is cited for methods, as one citation; () where that is nothing."""
    keys = tuple(dict.fromkeys(key for name in names for key in cited(family, name)))
    return (Cite(keys),) if keys else ()


def split_words(places: Places, at: Branch) -> Parts:
    """A split of a study file.

    Args:
        at: its place, such as that of `data.split`.
    """
    kind = str(at.content["kind"])
    values: dict[str, Part] = {
        name: _field(at.at(name)) for name in at.content if name not in ("kind", "folds_as_needed")
    }
    card = places.artifact(Artifact.TABLE_JSON).content
    values["stratified"] = "" if card and not card["classes"] else ", stratified by class"
    return (*say(SPLITS[kind].words, **values), *cite("split", kind))


def _field(said: Branch) -> Part:
    if isinstance(said.content, list):  # from the first to before the last
        return Fact(f"[{said.content[0]}, {said.content[1]})", said.place)
    fact = said.fact()
    return fact if any(character.isdigit() for character in fact.text) else Name(fact.text)


def sampler_words(places: Places) -> Parts:
    """The sampler of a study."""
    sampler = places.study.sampler
    if sampler.name == "coarse-to-fine":
        how = f"coarse-to-fine {sampler.proposal}"
        return (
            *say(f"{OURS[sampler.name]} ({PROPOSALS[sampler.proposal]})"),
            *cite("sampler", how),
        )
    if sampler.name in OURS:
        return (*say(OURS[sampler.name]), *cite("sampler", sampler.name))
    return _of_optuna("sampler", sampler.name, {k: v[0] for k, v in SAMPLERS.items()})


def pruner_words(places: Places) -> Parts:
    """The pruner of a study that has one."""
    pruner = places.study.pruner
    assert pruner is not None
    if pruner.by_rank:
        said = "keep" in pruner.options
        default = Fact(f"{ParetoOptions().keep}", BY_DEFINITION)
        return (
            *say(
                "Pareto rank and crowding distance (of those that came there a fraction {keep} "
                "went on)",
                keep=places.file.fact("pruner", "options", "keep") if said else default,
            ),
            *cite("pruner", pruner.name),
        )
    return _of_optuna("pruner", pruner.name, PRUNERS)


def _of_optuna(family: Family, name: str, classes: Mapping[str, str]) -> Parts:
    if name in classes:
        return (*say("Optuna's {name}", name=Name(classes[name])), *cite(family, name))
    return say("{name}, a class of our own", name=Name(name))


def trainer_words(trainer: str) -> Parts:
    """A trainer by its name in a study file."""
    if trainer in OPTIMIZERS:
        shown = OPTIMIZERS[trainer].__name__
        return (*say(shown), *cite("trainer", trainer))
    library = trainer.partition(".")[0]
    if is_program(trainer):
        return say("a program of our own ({name})", name=Name(trainer))
    if ":" in trainer:
        return say("code of our own ({name})", name=Name(trainer))
    if library == "sklearn" or library in LIBRARIES:
        return (Name(trainer.rpartition(".")[2]), *cite("library", library))
    return (Name(trainer), *cite("trainer", trainer))


def case_words(places: Places, place: int) -> Parts:
    """The case at a place of a result: "trainer = adam and shots = 5"."""
    at = places.in_result.at("arms", place)
    values = places.result.arms[place].values
    said = [
        say("{name} = {value}", name=Name(name), value=at.fact("values", name)) for name in values
    ]
    return listed(said)


def counted(number: Fact, noun: str, plural: str = "") -> Parts:
    """ "1 trial", "3 trials"."""
    return say(
        "{number} {noun}",
        number=number,
        noun=noun_of(1 if number.text == "1" else 2, noun, plural),
    )


def names(texts: Iterable[str]) -> Sequence[Part]:
    """Names for a list."""
    return [Name(text) for text in texts]
