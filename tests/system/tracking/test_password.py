"""Our pages behind MLflow's basic-auth."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest

from hpsearch.records.layout import Home
from hpsearch.tracking.password import set_password
from tests.harness.browser import wait_for
from tests.harness.servers import free_port

PASSWORD = "long-enough-12"
pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow's server, loaded here


def status(address: str, password: str = "") -> int:
    request = urllib.request.Request(address)
    if password:
        request.add_header("Authorization", f"Basic {b64encode(password.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_password_is_set_by_one_command_and_asked_for_on_all_of_our_pages(home: Path) -> None:
    files = Home(home).password
    set_password(files, "another-one-before")
    kept = [files.folder, *files.folder.iterdir()]
    assert not any(path.stat().st_mode & 0o077 for path in kept)
    assert not any(b"another-one" in path.read_bytes() for path in kept[1:])
    port = free_port()
    command = [sys.executable, "-m", "hpsearch", "ui", "--home", str(home), "--host", "0.0.0.0"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--password"], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(f"{PASSWORD}\n".encode())
    process.stdin.close()
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health", process)
        pages = ("studies", "studies/news", "studies/static/studies.js", "s/small", "")
        assert [status(f"{address}/{page}") for page in pages] == [401] * 5
        assert status(f"{address}/studies", "admin:wrong") == 401
        known = [status(f"{address}/{page}", f"admin:{PASSWORD}") for page in pages]
        assert known == [200, 200, 200, 404, 200]
        assert status(f"{address}/studies", "admin:another-one-before") == 401
    finally:
        process.terminate()
        process.wait(timeout=30)
