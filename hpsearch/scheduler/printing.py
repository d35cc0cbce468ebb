"""For people who have a scheduler already: units that call `python -m hpsearch batch`."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.scheduler.schedules import Scheduled
from hpsearch.timetable import weekday_names

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _command(item: Scheduled, home: Home) -> str:
    words = [sys.executable, "-m", "hpsearch", "batch", str(item.path), "--home", str(home.path)]
    return shlex.join(words)


def _systemd(item: Scheduled, home: Home) -> str:
    unit = _unit_name(item.name)
    return f"""\
# /etc/systemd/system/{unit}.service
[Unit]
Description=hpsearch batch {item.name}

[Service]
Type=oneshot
WorkingDirectory={Path.cwd()}
ExecStart={_command(item, home)}
# 75: unfinished, the next start goes on; 130: stopped
SuccessExitStatus=75 130
TimeoutStopSec=15
# HPSEARCH_STORAGE, HPSEARCH_TRACKING_URI and HPSEARCH_WEBHOOK, readable by root alone
EnvironmentFile=-/etc/hpsearch.env

# /etc/systemd/system/{unit}.timer
[Timer]
OnCalendar={on_calendar(_expression(item), item.schedule.timezone)}
Persistent={str(item.schedule.missed != "skip").lower()}

[Install]
WantedBy=timers.target

# then: systemctl daemon-reload && systemctl enable --now {unit}.timer
"""


def _cron(item: Scheduled, home: Home) -> str:
    zone = item.schedule.timezone
    head = f"# cronie knows CRON_TZ; other crons use the machine's time zone\nCRON_TZ={zone}\n"
    command = f"cd {shlex.quote(str(Path.cwd()))} && {_command(item, home)}".replace("%", r"\%")
    return f"{head if zone else ''}{_expression(item)} {command}\n"


def _kubernetes(item: Scheduled, home: Home) -> str:
    zone = f"\n  timeZone: {item.schedule.timezone}" if item.schedule.timezone else ""
    return f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {_unit_name(item.name)}
spec:
  schedule: "{_named_weekdays(_expression(item))}"{zone}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: {60 if item.schedule.missed == "skip" else 3600}
  jobTemplate:
    spec:
      backoffLimit: 0                            # the next run goes on where this one was
      template:
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 15
          containers:
            - name: hpsearch
              image: hpsearch:latest             # python:3.12-slim with pip install hpsearch
              command: [python, -m, hpsearch, batch, /studies/{item.name}.toml, --home, /mlruns]
              envFrom:
                - secretRef: {{ name: hpsearch, optional: true }}
              volumeMounts:
                - {{ name: studies, mountPath: /studies }}
                - {{ name: mlruns, mountPath: /mlruns }}
          volumes:
            - name: studies
              configMap: {{ name: hpsearch-studies }}
            - name: mlruns
              persistentVolumeClaim: {{ claimName: hpsearch-mlruns }}
"""


KINDS: dict[str, Callable[[Scheduled, Home], str]] = {
    "systemd": _systemd,
    "cron": _cron,
    "kubernetes": _kubernetes,
}


def _expression(item: Scheduled) -> str:
    """The cron expression, which all schedulers understand.

    Raises:
        StudyFileError: it has what only this one does.
    """
    cron = item.schedule.cron or ""
    if "last" in cron.lower():
        raise StudyFileError(
            f"the schedule {item.name} must give the days of the month by number for another "
            f"scheduler, got {cron!r}; only hpsearch schedule knows a last day"
        )
    return cron


def on_calendar(cron: str, zone: str | None) -> str:
    """A cron expression as systemd writes it: DAYS *-MONTH-DAY HOUR:MINUTE:00 ZONE."""
    minute, hour, day, month, weekday = cron.split()
    days = (
        ""
        if weekday == "*"
        else ",".join(name.capitalize() for name in weekday_names(weekday).split(",")) + " "
    )
    month = re.sub("[a-z]+", lambda name: str(1 + MONTHS.index(name[0])), month.lower())
    parts = f"*-{_field(month, 1)}-{_field(day, 1)} {_field(hour, 0)}:{_field(minute, 0)}:00"
    return f"{days}{parts}" + (f" {zone}" if zone else "")


def _field(text: str, first: int) -> str:
    """One field: a-b is a..b there, and */n counts from the first value."""
    text = re.sub(r"(\d+)-(\d+)", r"\1..\2", text)
    return re.sub(r"\*/(\d+)", rf"{first}/\1", text)


def _named_weekdays(cron: str) -> str:
    *fields, weekday = cron.split()
    return " ".join([*fields, weekday_names(weekday)])


def _unit_name(name: str) -> str:
    return "hpsearch-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
