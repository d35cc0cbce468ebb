"""Pruners and classes of one's own by name, with what they are given."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from hpsearch.samplers.own_classes import class_of_ones_own
from hpsearch.samplers.pruners import OPTUNA, make_pruner, pruner_class


def made(name: str, **options: Any) -> optuna.pruners.BasePruner:
    return make_pruner(name, options, rungs=(2, 4), n_epochs=9)


@pytest.mark.parametrize("name", OPTUNA)
def test_every_name_is_a_pruner_of_optuna(name: str) -> None:
    assert issubclass(pruner_class(name), optuna.pruners.BasePruner)  # type: ignore[arg-type]
    assert pruner_class(name).__module__.startswith("optuna.pruners")


def test_resources_are_the_first_rung_and_the_full_length_unless_said() -> None:
    hyperband: Any = made("hyperband")
    assert (hyperband._min_resource, hyperband._max_resource) == (2, 9)
    hyperband = made("hyperband", max_resource=27)
    assert (hyperband._min_resource, hyperband._max_resource) == (2, 27)
    halving: Any = made("successive-halving")
    assert halving._min_resource == 2
    halving = made("successive-halving", min_resource=1, reduction_factor=3)
    assert (halving._min_resource, halving._reduction_factor) == (1, 3)


def test_a_patient_pruner_has_another_inside_by_name_or_table_or_none() -> None:
    patient: Any = made("patient", patience=3)
    assert (patient._patience, patient._wrapped_pruner) == (3, None)
    patient = made("patient", patience=3, wrapped_pruner="successive-halving")
    assert isinstance(patient._wrapped_pruner, optuna.pruners.SuccessiveHalvingPruner)
    assert patient._wrapped_pruner._min_resource == 2
    table = {"name": "percentile", "options": {"percentile": 10.0, "n_startup_trials": 1}}
    patient = made("patient", patience=3, wrapped_pruner=table)
    assert isinstance(patient._wrapped_pruner, optuna.pruners.PercentilePruner)
    assert patient._wrapped_pruner._percentile == 10.0


@pytest.mark.parametrize("inside", [3, {}, {"options": {}}, {"name": "median", "more": 1}, ["a"]])
def test_what_is_no_pruner_inside_a_patient_one_is_said(inside: object) -> None:
    with pytest.raises(ValueError, match="must have a name as wrapped_pruner, or a table") as said:
        made("patient", patience=3, wrapped_pruner=inside)
    assert str(said.value).endswith(f"got {inside!r}")


def test_ours_can_be_in_no_other() -> None:
    with pytest.raises(ValueError, match="a pruner of Optuna's as wrapped_pruner, got 'pareto'"):
        made("patient", patience=3, wrapped_pruner="pareto")


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (
            "median",
            {"n_startup": 3},
            r"must be arguments that median takes, got \{'n_startup': 3\}",
        ),
        ("percentile", {"percentile": 300.0}, "must be arguments that percentile takes"),
        (
            "medium",
            {},
            r"must be one of median.*did you mean 'median'.*is written package\.module",
        ),
        (
            "optuna.pruners:Median",
            {},
            "must be importable, got 'optuna.pruners:Median': Attribute",
        ),
        ("no.such:Class", {}, "must be importable, got 'no.such:Class': ModuleNotFoundError"),
        (
            "optuna.samplers:TPESampler",
            {},
            r"must be a class derived from optuna\.pruners\.BasePruner, got 'optuna\.samplers:TPE",
        ),
        (
            "math:pi",
            {},
            r"must be a class derived from optuna\.pruners\.BasePruner, got 'math:pi'",
        ),
    ],
)
def test_what_makes_no_pruner_is_said(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made(name, **options)


def test_a_class_by_its_path_is_that_class() -> None:
    base = optuna.pruners.BasePruner
    found = class_of_ones_own("optuna.pruners:NopPruner", base, [])  # type: ignore[type-abstract]
    assert found is optuna.pruners.NopPruner
    assert isinstance(made("optuna.pruners:NopPruner"), optuna.pruners.NopPruner)
