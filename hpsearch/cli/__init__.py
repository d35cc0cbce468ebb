"""The commands: parse, one call, print. stdout is data, stderr is progress."""

# Each adds its commands to the program.
from hpsearch.cli import archive, data, doctor, report, study, sync, ui
from hpsearch.cli.base import app

__all__ = ["app", "archive", "data", "doctor", "report", "study", "sync", "ui"]
