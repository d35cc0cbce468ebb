"""The commands: parse, one call, print. stdout is data, stderr is progress."""

from hpsearch.cli import batch, data, schedule, study, ui  # each adds its commands to the program
from hpsearch.cli.base import app

__all__ = ["app", "batch", "data", "schedule", "study", "ui"]
