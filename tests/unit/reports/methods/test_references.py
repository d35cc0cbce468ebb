"""What a text cites: every entry is whole, and every method of our catalogues has its line."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from hpsearch.datasets import DATASETS
from hpsearch.datasets.split_kinds import SPLITS
from hpsearch.nn import NETWORKS
from hpsearch.reports.methods.references import (
    CITED,
    REFERENCES,
    Family,
    Reference,
    cited,
    in_order,
)
from hpsearch.reports.methods.words import OURS, PROPOSALS
from hpsearch.samplers.coarse_to_fine.sampler import Proposal
from hpsearch.samplers.named import OPTUNA as SAMPLERS
from hpsearch.samplers.pruners import OPTUNA as PRUNERS
from hpsearch.samplers.pruners import PARETO
from hpsearch.studyfile.tables.confirmation import Confirmation
from hpsearch.trainers import TRAINERS
from hpsearch.trainers.boosters import LIBRARIES

CATALOGUES: dict[Family, set[str]] = {
    "choice": {*get_args(Confirmation.model_fields["choose"].annotation)},
    "data": {*DATASETS},
    "network": {*NETWORKS},
    "split": {*SPLITS},
    "sampler": {*OURS, *SAMPLERS},
    "pruner": {*PRUNERS, PARETO},
    "trainer": {*TRAINERS},
    "library": {"sklearn", *LIBRARIES},
}


@pytest.mark.parametrize("family", CATALOGUES)
def test_every_member_of_a_catalogue_has_a_line(family: Family) -> None:
    assert CATALOGUES[family] <= {*CITED[family]}


def test_every_way_of_drawing_has_words() -> None:
    assert set(get_args(Proposal)) == set(PROPOSALS)


def test_every_key_that_is_cited_is_a_reference_and_every_reference_is_cited() -> None:
    keys = {key for family in CITED.values() for found in family.values() for key in found}
    assert keys == {*REFERENCES}


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=[*REFERENCES])
def test_an_entry_is_valid_bibtex(reference: Reference) -> None:
    entry = reference.bibtex()
    assert entry.isascii()
    assert entry.count("{") == entry.count("}")
    assert re.match(rf"@(article|inproceedings|book|techreport|misc)\{{{reference.key},\n", entry)
    fields = re.findall(r"^  (\w+) = \{(.+)\},?$", entry, re.MULTILINE)
    assert len(fields) == entry.count("\n") - 1
    assert {"author", "title", "year"} <= {name for name, _ in fields}
    assert 1900 < reference.year < 2030
    for author in reference.authors.split(" and "):
        assert author == "Student" or re.fullmatch(r"[^,]+, [^,]+", author)
    assert str(reference.year) in reference.key


def test_a_label_names_one_author_two_or_the_first_of_more() -> None:
    labels = {key: REFERENCES[key].label for key in ("kohavi1995study", "bergstra2012random")}
    assert labels == {
        "kohavi1995study": "Kohavi, 1995",
        "bergstra2012random": "Bergstra and Bengio, 2012",
    }
    assert REFERENCES["akiba2019optuna"].label == "Akiba et al., 2019"


def test_an_entry_has_the_data_of_its_publication() -> None:
    assert REFERENCES["nadeau2003inference"].bibtex() == (
        "@article{nadeau2003inference,\n"
        "  author = {Nadeau, Claude and Bengio, Yoshua},\n"
        "  title = {{Inference for the Generalization Error}},\n"
        "  journal = {Machine Learning},\n"
        "  year = {2003},\n"
        "  volume = {52},\n"
        "  number = {3},\n"
        "  pages = {239--281},\n"
        "  doi = {10.1023/A:1024068626366}\n"
        "}"
    )
    assert REFERENCES["nadeau2003inference"].line == (
        "Nadeau, Claude; Bengio, Yoshua (2003). Inference for the Generalization Error. "
        "Machine Learning 52(3), 239-281. doi:10.1023/A:1024068626366"
    )


def test_what_is_cited_is_listed_once_by_author() -> None:
    keys = [*cited("sampler", "tpe"), *cited("trainer", "adam"), *cited("sampler", "tpe")]
    assert [one.key for one in in_order(keys)] == ["bergstra2011algorithms", "kingma2015adam"]


def test_nothing_is_cited_for_what_is_ones_own() -> None:
    assert cited("sampler", "mine:Sampler") == ()
