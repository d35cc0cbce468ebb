"""Training trials again."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    HomeOption,
    JsonOption,
    Kind,
    StudyArgument,
    ToleranceOption,
    TrustOption,
    command,
    exits,
)
from hpsearch.counts import count_of


@command(Kind.CHECK)
def reproduce(
    study: StudyArgument,
    trial: Annotated[int, typer.Argument(metavar="TRIAL", min=0, help="The number of the trial.")],
    tolerance: ToleranceOption = None,
    trust_code: TrustOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Train a trial again from its record and compare every metric.

    Exit code 1 means that a metric differs.

    Examples:
        python -m hpsearch reproduce quickstart 7
        python -m hpsearch reproduce quickstart 7 --tolerance 0.001
    """
    with exits(debug):
        from hpsearch.api.reproduce import reproduce_trial
        from hpsearch.audit.reproduction import TOLERANCE, pauses_text

        limit = TOLERANCE if tolerance is None else tolerance
        found = reproduce_trial(study, trial, home=home, trust_code=trust_code, tolerance=limit)
        if as_json:
            typer.echo(json.dumps(asdict(found) | {"equal": found.equal}))
        else:
            how = "bit for bit" if found.exact else f"within {found.tolerance:g}"
            typer.echo(
                f"trial {trial}, {found.outcome} after {count_of(found.epochs, 'epoch')}: "
                f"compared {count_of(found.values, 'value')} and "
                f"{count_of(found.states, 'final state')} {how}"
            )
            if found.pauses:
                typer.echo(pauses_text(found))
            if not found.exact:
                typer.echo(f"recorded on  {'; '.join(found.recorded_on) or 'an unknown machine'}")
                typer.echo(f"this machine {found.machine}")
                typer.echo(f"largest difference {found.largest:.3g}")
            if found.code:
                typer.echo(f"trained with different {found.code}")
            typer.echo(f"first difference: {found.difference}" if found.difference else "equal")
        sys.exit(not found.equal)
