"""CIFAR-10's binary format, on small files in that format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets import DATASETS, cifar
from hpsearch.datasets.cifar import TEST, TRAINING
from hpsearch.datasets.selection import Selection, open_pool
from hpsearch.errors import DataError

CIFAR10 = DATASETS["cifar10"]
CLOSED = "http://127.0.0.1:9/"  # the discard port: nothing listens there


def write_files(folder: Path, n: int = 20) -> Path:
    """The six files with `n` images each: red 10 x the file's number, green 1, blue the label."""
    folder.mkdir(parents=True)
    for number, name in enumerate((*TRAINING, *TEST), start=1):
        labels = (np.arange(n) % 10).astype(np.uint8)
        images = np.empty((n, 3, 32, 32), np.uint8)
        images[:, 0], images[:, 1], images[:, 2] = 10 * number, 1, labels[:, None, None]
        records = b"".join(
            bytes([label]) + image.tobytes() for label, image in zip(labels, images, strict=True)
        )
        (folder / name).write_bytes(records)
    return folder


@pytest.mark.parametrize("below", ["", "cifar-10-batches-bin"])
def test_images_and_labels_are_where_the_format_has_them(cache: Path, below: str) -> None:
    folder = write_files(cache.parent / "cifar10" / below)
    assert CIFAR10.where() == str(folder)
    train, test = CIFAR10.training(), CIFAR10.test()
    assert (train.inputs.shape, test.inputs.shape) == ((100, 3072), (20, 3072))
    assert train.inputs.dtype == np.uint8
    assert (train.scale, train.n_classes) == (255.0, 10)
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] * 10
    images = train.inputs.reshape(-1, 3, 32, 32)
    assert (images[:, 0] == np.repeat([10, 20, 30, 40, 50], 20)[:, None, None]).all()
    assert (images[:, 1] == 1).all()
    assert (images[:, 2] == train.labels[:, None, None]).all()
    assert (test.inputs.reshape(-1, 3, 32, 32)[:, 0] == 60).all()


def test_files_in_hpsearch_data_come_before_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(cache.parent / "cifar10")
    named = write_files(tmp_path / "named" / "cifar10")
    monkeypatch.setenv("HPSEARCH_DATA", str(named.parent))
    assert CIFAR10.where() == str(named)


def test_a_folder_by_path_is_a_data_set(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "mine")
    pool = open_pool(Selection(str(folder), shots=3))
    assert np.bincount(pool.examples.labels).tolist() == [3] * 10
    assert pool.examples.classes[0] == "airplane"


def test_without_files_and_network_the_error_names_what_to_set(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar, "URL", CLOSED)
    assert "not here" in CIFAR10.where()
    assert not cache.exists()
    with pytest.raises(DataError, match="set HPSEARCH_DATA to the folder that holds cifar10/"):
        CIFAR10.training()


def test_an_archive_is_unpacked_into_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib
    import tarfile

    write_files(tmp_path / "cifar-10-batches-bin")
    archive = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "cifar-10-batches-bin", "cifar-10-batches-bin")
    checksum = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(cifar, "CHECKSUM", f"md5:{checksum}")
    server, url = _serve(tmp_path)
    try:
        monkeypatch.setattr(cifar, "URL", f"{url}/{archive.name}")
        assert len(CIFAR10.training().labels) == 100
    finally:
        server.shutdown()
        server.server_close()
    assert CIFAR10.where() == str(cache.parent / "cifar10")
    assert not (cache.parent / "cifar10" / archive.name).exists()
    assert len(CIFAR10.test().labels) == 20


def _serve(folder: Path):  # type: ignore[no-untyped-def]
    """A web server of this machine over a folder, and its address."""
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *said: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0" * 3072, "test_batch.bin must be whole records of 3073 bytes, got 3072 bytes"),
        (b"", "must be whole records of 3073 bytes, got 0 bytes"),
        (b"\x0a" + b"\0" * 3072, "must have labels below 10, got 10"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    folder = write_files(tmp_path / "mine")
    (folder / "test_batch.bin").write_bytes(content)
    data = Selection(str(folder)).dataset()
    data.training()
    with pytest.raises(DataError, match=message):
        data.test()
