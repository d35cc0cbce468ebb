"""Our pages behind MLflow's basic-auth."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest

from tests.harness.browser import wait_for
from tests.harness.servers import free_port

PASSWORD = "long-enough-12"
CONFIGURATION = """\
[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/auth.db
admin_username = admin
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


def status(address: str, password: str = "") -> int:
    request = urllib.request.Request(address)
    if password:
        request.add_header("Authorization", f"Basic {b64encode(password.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_password_is_asked_for_on_all_of_our_pages(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("flask_wtf", reason="pip install 'mlflow[auth]'")
    (tmp_path / "auth.ini").write_text(CONFIGURATION.format(folder=tmp_path, password=PASSWORD))
    port = free_port()
    command = [sys.executable, "-m", "hpsearch", "ui", "--home", str(home), "--host", "0.0.0.0"]
    env = {
        **os.environ,
        "MLFLOW_AUTH_CONFIG_PATH": str(tmp_path / "auth.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "a secret of the server",
    }
    process = subprocess.Popen([*command, "--port", str(port)], env=env)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health", process)
        pages = ("studies", "studies/news", "studies/static/studies.js", "s/small", "")
        assert [status(f"{address}/{page}") for page in pages] == [401] * 5
        assert status(f"{address}/studies", "admin:wrong") == 401
        known = [status(f"{address}/{page}", f"admin:{PASSWORD}") for page in pages]
        assert known == [200, 200, 200, 404, 200]
    finally:
        process.terminate()
        process.wait(timeout=30)
