"""Units that run schedules: a service for the scheduler, or one of each schedule for people who
have a scheduler already, which calls `python -m hpsearch batch`."""

from __future__ import annotations

import getpass
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from hpsearch.addresses import has_password
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.scheduler.schedules import Scheduled
from hpsearch.timetable import weekday_names

UNIT = 43  # characters: Kubernetes takes names of 52, nine of which are "hpsearch-"

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


# It writes its home and its cache alone. ProtectClock is not here: it would take the GPUs away.
HARDENING = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
UMask=0027"""


@dataclass(frozen=True)
class Call:
    """What the printed commands have beside a file: the home and the stores.

    Attributes:
        workers, executor, storage, tracking_uri: as `batch` and `schedule` take them.
    """

    home: Home
    workers: int | None = None
    executor: str | None = None
    storage: str | None = None
    tracking_uri: str | None = None

    def words(self) -> list[str]:
        """The options, but for addresses with a password: all could read them in a command."""
        named = {
            "--home": str(self.home.path),
            "--workers": None if self.workers is None else str(self.workers),
            "--executor": self.executor,
            "--storage": self.storage,
            "--tracking-uri": self.tracking_uri,
        }
        return [
            word
            for name, value in named.items()
            if value is not None and not has_password(value)
            for word in (name, value)
        ]

    def secrets(self) -> list[str]:
        """The variables that must hold such addresses instead."""
        named = {"HPSEARCH_STORAGE": self.storage, "HPSEARCH_TRACKING_URI": self.tracking_uri}
        return [name for name, value in named.items() if value and has_password(value)]


def _words(command: str, path: Path, call: Call) -> list[str]:
    return [sys.executable, "-m", "hpsearch", command, str(path), *call.words()]


def scheduler_service(folder: Path, call: Call) -> str:
    """The systemd unit of the process that runs the schedules of a folder."""
    return f"""\
# /etc/systemd/system/hpsearch.service
[Unit]
Description=hpsearch schedules of {_specifiers(str(folder.absolute()))}
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
{_service(_words("schedule", folder.absolute(), call), call)}
Restart=on-failure
RestartSec=10
# 2: a mistake that another start doesn't mend
RestartPreventExitStatus=2
KillMode=mixed

[Install]
WantedBy=multi-user.target

# first: {_first_steps(call)}
# then: systemctl daemon-reload && systemctl enable --now hpsearch.service
# its log: journalctl -u hpsearch, which systemd keeps within SystemMaxUse= of journald.conf
"""


def _service(words: Sequence[str], call: Call) -> str:
    """The lines of [Service] that all units share."""
    secrets = "".join(
        f"\n# {name} must be in it, as its address has a password" for name in call.secrets()
    )
    data = os.environ.get("HPSEARCH_DATA")
    environment = ["XDG_CACHE_HOME=/var/cache/hpsearch", "MPLCONFIGDIR=/var/cache/hpsearch/mpl"]
    environment += [f"HPSEARCH_DATA={Path(data).absolute()}"] if data else []
    return f"""\
User={_user()}
WorkingDirectory={_specifiers(str(Path.cwd()))}
ExecStart={" ".join(_quoted(word, "$") for word in words)}
TimeoutStopSec=15
# HPSEARCH_STORAGE, HPSEARCH_TRACKING_URI and HPSEARCH_WEBHOOK, readable only by root{secrets}
EnvironmentFile=-/etc/hpsearch.env
Environment={" ".join(map(_quoted, environment))}
CacheDirectory=hpsearch
# and the folders that programs of your own write to
ReadWritePaths={_quoted(str(call.home.path))}
{HARDENING}"""


def _user() -> str:
    """Who runs this, but for root."""
    return getpass.getuser() if os.geteuid() else "hpsearch"


def _first_steps(call: Call) -> str:
    """What must be there before the unit starts."""
    make = f"install -d -o {_user()} {shlex.quote(str(call.home.path))}"
    return make if os.geteuid() else f"useradd --system {_user()} && {make}"


def _specifiers(text: str) -> str:
    """A value in which systemd would take %h for a folder."""
    return text.replace("%", "%%")


def _quoted(word: str, doubled: str = "") -> str:
    """A word of a systemd command or list.

    Args:
        doubled: characters that mean something else where they stand alone.
    """
    text = _specifiers(word).replace("\\", "\\\\").replace('"', '\\"')
    for one in doubled:
        text = text.replace(one, 2 * one)
    return text if re.fullmatch(r"[\w@%+=:,./$-]+", text) else f'"{text}"'


def _systemd(item: Scheduled, call: Call) -> str:
    unit = _unit_name(item.name)
    return f"""\
# /etc/systemd/system/{unit}.service
[Unit]
Description=hpsearch batch {_specifiers(item.name)}

[Service]
Type=oneshot
{_service(_words("batch", item.path, call), call)}
# 75: unfinished, the next start goes on; 130: stopped
SuccessExitStatus=75 130

# /etc/systemd/system/{unit}.timer
[Timer]
OnCalendar={on_calendar(_expression(item), item.schedule.timezone)}
Persistent={str(item.schedule.missed != "skip").lower()}

[Install]
WantedBy=timers.target

# first: {_first_steps(call)}
# then: systemctl daemon-reload && systemctl enable --now {unit}.timer
"""


def _cron(item: Scheduled, call: Call) -> str:
    zone = item.schedule.timezone
    head = f"# cronie knows CRON_TZ; other crons use the machine's time zone\nCRON_TZ={zone}\n"
    secrets = "".join(
        f"# {name} must be set above, as its address has a password\n" for name in call.secrets()
    )
    named, hidden = _variables(call)
    secrets += "".join(
        f"# {name} is set in this shell, but not for cron: set it above this line\n"
        for name in hidden
    )
    words = " ".join([*named, shlex.join(_words("batch", item.path, call))])
    command = f"cd {shlex.quote(str(Path.cwd()))} && {words}".replace("%", r"\%")
    return f"{secrets}{head if zone else ''}{_expression(item)} {command}\n"


def _variables(call: Call) -> tuple[list[str], list[str]]:
    """What is set in this shell, of which cron hands nothing on: as words before a command, and
    the names of secrets."""
    said = {"HPSEARCH_STORAGE": call.storage, "HPSEARCH_TRACKING_URI": call.tracking_uri}
    named, hidden = [], []
    for name in ("HPSEARCH_DATA", *said, "HPSEARCH_WEBHOOK"):
        value = os.environ.get(name)
        if not value or said.get(name):
            continue
        if name == "HPSEARCH_WEBHOOK" or has_password(value):
            hidden.append(name)
        else:
            place = Path(value).absolute() if name == "HPSEARCH_DATA" else value
            named.append(f"{name}={shlex.quote(str(place))}")
    return named, hidden


def _kubernetes(item: Scheduled, call: Call) -> str:
    more = replace(call, home=Home(Path("/mlruns"))).words()
    command = ["python", "-m", "hpsearch", "batch", f"/studies/{_file_name(item.name)}", *more]
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
              command: {json.dumps(command)}
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


KINDS: dict[str, Callable[[Scheduled, Call], str]] = {
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
            f"scheduler, got {cron!r}; only hpsearch schedule supports a last day"
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


def _file_name(name: str) -> str:
    """A key of a ConfigMap has no other letters."""
    return f"{name if re.fullmatch(r'[A-Za-z0-9_.-]+', name) else _unit_name(name)}.toml"


def _unit_name(name: str) -> str:
    """A name that systemd and Kubernetes take; a digest stands for what they do not."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    whole = re.fullmatch(r"[A-Za-z0-9_./ -]+", name) and len(plain) <= UNIT
    digest = "" if whole else f"-{sha256(name.encode()).hexdigest()[:8]}"
    return "hpsearch-" + f"{plain[: UNIT - len(digest)]}{digest}".strip("-")
