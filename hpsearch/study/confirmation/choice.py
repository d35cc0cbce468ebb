"""Which of the confirmed configurations is the winner: the best, or a cheaper one that is as good.

Within one standard error of the best, the cheapest (Breiman, Friedman, Olshen and Stone,
"Classification and Regression Trees", 1984, section 3.4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hpsearch.datasets.selection import open_pool
from hpsearch.hyperparameters import build
from hpsearch.nn import NETWORKS
from hpsearch.records.estimate import Estimate
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.arm_records import ArmRecords
from hpsearch.studyfile.tables.confirmation import PARAMETERS, SECONDS


@dataclass(frozen=True)
class Choice:
    """A winner, and why it is not the best.

    Attributes:
        number: its trial.
        reason: in a sentence; "" where it is the best.
    """

    number: int
    reason: str = ""


def choose(
    records: ArmRecords,
    order: Sequence[int],
    confirmed: Mapping[int, Estimate],
    repeats: Mapping[int, Sequence[TrialRecord]],
    error: Callable[[int], float],
) -> Choice:
    """The winner of an arm, as [confirmation] says.

    Args:
        order: the confirmed trials, best first.
        confirmed: what they score.
        repeats: their runs.
        error: the standard error of what a trial scores.
    """
    settings, best = records.read.file.confirmation, order[0]
    if settings.choose == "best":
        return Choice(best)
    reach = error(best)
    near = [n for n in order if abs(confirmed[n].mean - confirmed[best].mean) <= reach]
    costs = {number: _cost(records, repeats[number], settings.cheap) for number in near}
    cheapest = min(near, key=lambda number: costs[number])  # the better one among equals
    if cheapest == best:
        return Choice(best)
    unit = {SECONDS: "s", PARAMETERS: "parameters"}.get(settings.cheap, "")
    before, now = (f"{settings.cheap} = {costs[n]:g}" for n in (best, cheapest))
    if unit:
        before, now = (f"{costs[n]:.3g} {unit}" for n in (best, cheapest))
    return Choice(
        cheapest,
        f"trial {cheapest} ({now}) is the cheapest within one standard error ({reach:.4f}) of the "
        f"best, trial {best} with {confirmed[best].mean:.4f} ({before})",
    )


def _cost(records: ArmRecords, repeats: Sequence[TrialRecord], cheap: str) -> float:
    params = repeats[0].params
    if cheap == SECONDS:
        return sum(record.cpu_seconds for record in repeats) / len(repeats)
    if cheap != PARAMETERS:
        return float(params.get(cheap, float("inf")))
    examples = open_pool(records.arm.selection).examples
    network = build(NETWORKS[str(params["network"])], params)
    layers = network.layers(examples.inputs.shape[1], max(examples.n_classes, 1))
    return float(sum(layer.n_params for layer in layers))
