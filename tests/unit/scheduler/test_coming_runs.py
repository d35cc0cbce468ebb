"""What `schedule --next` shows, of files with mistakes too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hpsearch import coming_runs
from hpsearch.cli import app
from tests.harness.study_files import SMALL

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def put(folder: Path, name: str, cron: str) -> None:
    text = SMALL.replace('"small"', f'"{name}"')
    (folder / f"{name}.toml").write_text(
        f'{text}\n[schedule]\ncron = "{cron}"\ntimezone = "UTC"\n'
    )


def test_no_schedule_is_missing_from_the_coming_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, cron in (("good", "0 2 * * *"), ("rare", "0 0 31 2 *"), ("short", "@daily")):
        put(tmp_path, name, cron)
    frame = coming_runs(tmp_path, home=tmp_path / "home", count=1, now=NOW)
    assert [*zip(frame["schedule"], frame["when"], strict=True)] == [
        ("good", "2026-03-01T02:00:00+00:00"),
        ("rare", "never"),
        ("short", "not scheduled"),
    ]
    assert "must be five fields" in frame["standing"].iloc[2]
    shown = CliRunner().invoke(app, ["schedule", str(tmp_path), "--next"])
    assert shown.exit_code == 2
    assert "rare" in shown.stdout
    assert "error: short: " in shown.stderr
    (tmp_path / "short.toml").unlink()
    assert CliRunner().invoke(app, ["schedule", str(tmp_path), "--next"]).exit_code == 0


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 6 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 6 * * *", ["2028-02-28", "2028-02-29", "2028-03-01"]),
    ],
)
def test_a_leap_day_is_among_the_coming_runs(tmp_path: Path, cron: str, days: list[str]) -> None:
    put(tmp_path, "leap", cron)
    noon_before = datetime(2028, 2, 27, 12, tzinfo=UTC)
    frame = coming_runs(tmp_path, home=tmp_path / "home", count=3, now=noon_before)
    assert [when[:10] for when in frame["when"]] == days
