"""Verifying studies."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    HomeOption,
    JsonOption,
    StudyArgument,
    ToleranceOption,
    TrustOption,
    app,
    exits,
)


@app.command()
def verify(
    study: StudyArgument,
    trials: Annotated[
        int, typer.Option(min=0, help="So many trials are trained again, of every outcome.")
    ] = 3,
    tolerance: ToleranceOption = None,
    trust_code: TrustOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Derive a study's draws and decisions again, train some trials again; exit 1 if any differs.

    Example: python -m hpsearch verify quickstart --trials 5
    """
    with exits(debug):
        from hpsearch.api.verify import verify_study
        from hpsearch.audit.reproduction import TOLERANCE

        found = verify_study(
            study,
            trials=trials,
            trust_code=trust_code,
            home=home,
            tolerance=TOLERANCE if tolerance is None else tolerance,
            say=lambda line: typer.echo(line, err=True),
        )
        if as_json:
            typer.echo(json.dumps(found.as_dict()))
        else:
            from hpsearch.console import print_verification

            print_verification(found)
        sys.exit(not found.equal)
