"""The commands: parse, one call, print. stdout is data, stderr is progress."""

from hpsearch.cli import (  # each adds its commands to the program
    archive,
    batch,
    data,
    delete,
    doctor,
    init,
    plan,
    predict,
    report,
    reproduce,
    schedule,
    show,
    status,
    study,
    sync,
    ui,
    verify,
)
from hpsearch.cli.base import app

__all__ = [
    "app",
    "archive",
    "batch",
    "data",
    "delete",
    "doctor",
    "init",
    "plan",
    "predict",
    "report",
    "reproduce",
    "schedule",
    "show",
    "status",
    "study",
    "sync",
    "ui",
    "verify",
]
