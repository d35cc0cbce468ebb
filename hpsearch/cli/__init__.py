"""The commands: parse, one call, print. stdout is data, stderr is progress."""

from hpsearch.cli import (  # each adds its commands to the program
    data,
    delete,
    init,
    plan,
    reproduce,
    show,
    status,
    study,
    ui,
    verify,
)
from hpsearch.cli.base import app

__all__ = [
    "app",
    "data",
    "delete",
    "init",
    "plan",
    "reproduce",
    "show",
    "status",
    "study",
    "ui",
    "verify",
]
