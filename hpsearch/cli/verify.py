"""Verifying studies."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hpsearch.cli.base import (
    DebugOption,
    Group,
    HomeOption,
    JsonOption,
    Kind,
    StudyArgument,
    ToleranceOption,
    TrustOption,
    command,
    exits,
)


@command(Kind.CHECK)
def verify(
    study: StudyArgument,
    trials: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            min=0,
            help="Train this many trials again, covering every outcome.",
            rich_help_panel=Group.ACTION,
        ),
    ] = 3,
    tolerance: ToleranceOption = None,
    trust_code: TrustOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Recompute a study's decisions and train some trials again.

    Exit code 1 means that something differs.

    Examples:
        python -m hpsearch verify quickstart
        python -m hpsearch verify quickstart --trials 5
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
