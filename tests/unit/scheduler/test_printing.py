"""What other schedulers are given: units, crontab lines and CronJobs that mean the same."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.scheduler.printing import KINDS, Call, _unit_name, on_calendar, scheduler_service
from hpsearch.scheduler.schedules import Scheduled
from hpsearch.studyfile.tables.schedule import Schedule

CALL = Call(Home(Path("/var/stores")))
# tests/system/scheduler/test_printing.py asks systemd when these are.
CALENDARS = {
    "0 2 * * *": "*-*-* 2:0:00",
    "30 2 * * 1-5": "Mon,Tue,Wed,Thu,Fri *-*-* 2:30:00",
    "0 0 * * sun": "Sun *-*-* 0:0:00",
    "*/15 8-18 1,15 */3 *": "*-1/3-1,15 8..18:0/15:00",
    "5 8-18/2 */10 * *": "*-*-1/10 8..18/2:5:00",
    "0 2 1 jan,JUL *": "*-1,7-1 2:0:00",
    "0 2 1 oct-dec *": "*-10..12-1 2:0:00",
}


def scheduled(name: str = "nightly", **table: object) -> Scheduled:
    return Scheduled(name, Path(f"/srv/{name}.toml"), Schedule.model_validate(table), 1)


@pytest.mark.parametrize("cron", CALENDARS)
def test_a_cron_expression_as_systemd_writes_it(cron: str) -> None:
    assert on_calendar(cron, None) == CALENDARS[cron]
    assert on_calendar(cron, "Europe/Berlin") == f"{CALENDARS[cron]} Europe/Berlin"


@pytest.mark.parametrize("kind", KINDS)
def test_a_last_day_of_the_month_is_no_other_schedulers(kind: str) -> None:
    item = scheduled(cron="0 2 last * *")
    with pytest.raises(StudyFileError, match=r"nightly must .* got '0 2 last \* \*'"):
        KINDS[kind](item, CALL)


@pytest.mark.parametrize(("missed", "persistent"), [("skip", "false"), ("once", "true")])
def test_systemd_makes_up_for_missed_runs_unless_they_are_skipped(
    missed: str, persistent: str
) -> None:
    item = scheduled("a/Night Run", cron="0 2 * * *", missed=missed)
    lines = KINDS["systemd"](item, CALL).splitlines()
    assert f"Persistent={persistent}" in lines
    assert "# /etc/systemd/system/hpsearch-a-night-run.service" in lines
    assert "# /etc/systemd/system/hpsearch-a-night-run.timer" in lines
    (command,) = (line for line in lines if line.startswith("ExecStart="))
    assert command.endswith(' -m hpsearch batch "/srv/a/Night Run.toml" --home /var/stores')


def test_a_crontab_line_names_its_zone_and_has_no_bare_percent_sign() -> None:
    lines = KINDS["cron"](scheduled("100%", cron="0 2 * * 1", timezone="UTC"), CALL).splitlines()
    assert lines[-3].startswith("# ")
    assert lines[-2] == "CRON_TZ=UTC"
    assert lines[-1].startswith(f"0 2 * * 1 cd {Path.cwd()} && ")
    assert lines[-1].endswith(r" -m hpsearch batch /srv/100\%.toml --home /var/stores")
    *_, line = KINDS["cron"](scheduled(cron="0 2 * * 1"), CALL).splitlines()
    assert line.startswith("0 2 * * 1 cd ")


def test_a_crontab_has_what_is_set_in_the_shell_but_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HPSEARCH_DATA", "/srv/my data")
    monkeypatch.setenv("HPSEARCH_STORAGE", "postgresql://me:secret@db/optuna")
    monkeypatch.setenv("HPSEARCH_TRACKING_URI", "http://mlflow:5000")
    monkeypatch.setenv("HPSEARCH_WEBHOOK", "https://chat/secret")
    text = KINDS["cron"](scheduled(cron="0 2 * * 1"), CALL)
    storage, webhook, line = text.splitlines()
    assert storage.startswith("# HPSEARCH_STORAGE is set in this shell, but not for cron")
    assert webhook.startswith("# HPSEARCH_WEBHOOK is set")
    assert line.startswith("0 2 * * 1 cd ")
    variables = "HPSEARCH_DATA='/srv/my data' HPSEARCH_TRACKING_URI=http://mlflow:5000"
    assert f" && {variables} " in line  # for this command alone
    assert "secret" not in text
    named = replace(CALL, tracking_uri="http://other:5000")  # an option of the command
    assert "HPSEARCH_TRACKING_URI" not in KINDS["cron"](scheduled(cron="0 2 * * 1"), named)


@pytest.mark.parametrize(("missed", "seconds"), [("skip", 60), ("once", 3600), ("all", 3600)])
def test_a_cron_job_starts_late_as_the_schedule_says(missed: str, seconds: int) -> None:
    lines = KINDS["kubernetes"](scheduled(cron="0 2 * * 7", missed=missed), CALL).splitlines()
    assert f"  startingDeadlineSeconds: {seconds}" in lines
    at = lines.index('  schedule: "0 2 * * sun"')
    assert lines[at + 1] == "  concurrencyPolicy: Forbid"
    zoned = KINDS["kubernetes"](scheduled(cron="0 2 * * *", timezone="UTC"), CALL).splitlines()
    assert zoned[zoned.index('  schedule: "0 2 * * *"') + 1] == "  timeZone: UTC"
    assert "  name: hpsearch-nightly" in zoned
    assert '              command: ["python", "-m", "hpsearch", "batch",' in "\n".join(zoned)


OPTIONS = {
    "workers": 2,
    "executor": "dask://host:8786",
    "storage": "postgresql+psycopg://me@db/optuna",
    "tracking_uri": "http://host:5000",
}
PRINTED = "--workers 2 --executor dask://host:8786 --storage postgresql+psycopg://me@db/optuna "
PRINTED += "--tracking-uri http://host:5000"


def test_names_in_any_script_make_units_of_their_own() -> None:
    names = ["고양이", "강아지", "lr (1)", "lr+1", "lr-1", "x" * 80]
    units = [_unit_name(name) for name in names]
    assert len(set(units)) == len(names)
    assert all(re.fullmatch(r"hpsearch-[a-z0-9-]{1,43}", unit) for unit in units)
    for name in names[:4]:
        text = KINDS["kubernetes"](scheduled(name, cron="0 2 * * *"), CALL)
        assert f'"/studies/{_unit_name(name)}.toml"' in text


@pytest.mark.parametrize("kind", KINDS)
def test_the_options_of_a_call_are_those_of_the_printed_command(kind: str) -> None:
    call = Call(CALL.home, **OPTIONS)  # type: ignore[arg-type]
    text = KINDS[kind](scheduled(cron="0 2 * * *"), call)
    if kind == "kubernetes":
        text = text.replace('", "', " ")
    assert PRINTED in text
    assert PRINTED in scheduler_service(Path("/srv"), call)


@pytest.mark.parametrize("kind", ["systemd", "cron"])
def test_no_password_is_printed_but_the_variable_that_must_hold_it(kind: str) -> None:
    call = Call(CALL.home, storage="postgresql+psycopg://me:secret@db/optuna")
    text = KINDS[kind](scheduled(cron="0 2 * * *"), call)
    assert "secret" not in text
    assert "--storage" not in text
    assert "# HPSEARCH_STORAGE must be" in text


def test_a_percent_sign_a_quote_and_a_dollar_are_themselves_in_a_unit() -> None:
    call = Call(Home(Path('/srv/50% "of" $all')))
    lines = KINDS["systemd"](scheduled("5%", cron="0 2 * * *"), call).splitlines()
    assert "Description=hpsearch batch 5%%" in lines
    assert r'ReadWritePaths="/srv/50%% \"of\" $all"' in lines
    (command,) = (line for line in lines if line.startswith("ExecStart="))
    assert command.endswith(r'batch /srv/5%%.toml --home "/srv/50%% \"of\" $$all"')


def test_the_scheduler_is_an_unprivileged_service_that_starts_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    lines = scheduler_service(Path("/srv/studies"), CALL).splitlines()
    assert {
        "User=hpsearch",
        "Restart=on-failure",
        "RestartPreventExitStatus=2",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "ReadWritePaths=/var/stores",
        "WantedBy=multi-user.target",
    } <= {*lines}
    (command,) = (line for line in lines if line.startswith("ExecStart="))
    assert command.endswith(" -m hpsearch schedule /srv/studies --home /var/stores")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    assert "User=ann" in scheduler_service(Path("/srv/studies"), CALL).splitlines()
