"""MNIST: 60,000 training and 10,000 test images of 28 x 28."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hpsearch.datasets.base import Dataset, Examples
from hpsearch.datasets.folders import cache, folders
from hpsearch.datasets.idx import read_labelled
from hpsearch.errors import DataError

# SHA-256 of the gzipped files as published.
CHECKSUMS = {
    f"{name}-ubyte.gz": checksum
    for name, checksum in {
        "train-images-idx3": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    }.items()
}
URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"


class Mnist(Dataset):
    """Handwritten digits. Source: LeCun, Cortes, Burges.

    Files are searched in $HPSEARCH_DATA/mnist, then in the user's cache folder, gzipped or not,
    and then downloaded into the cache, checked against their published SHA-256.
    """

    name = "mnist"
    summary = "70,000 grey images of 28 x 28, 10 classes; $HPSEARCH_DATA/mnist, cache, or download"

    def training(self) -> Examples:
        return self._part("train")

    def test(self) -> Examples:
        return self._part("t10k")

    def where(self) -> str:
        folder = self._found()
        return str(folder) if folder else "not on this machine; downloaded at first use (11.6 MB)"

    def _part(self, part: str) -> Examples:
        folder = self._found() or self._download()
        images, labels = read_labelled(
            _file(folder, f"{part}-images-idx3-ubyte.gz"),
            _file(folder, f"{part}-labels-idx1-ubyte.gz"),
        )
        return Examples(images, labels.astype(np.int64), 10, 255.0)

    def _found(self) -> Path | None:
        for folder in folders(self.name):
            if all(_file(folder, name).is_file() for name in CHECKSUMS):
                return folder
        return None

    def _download(self) -> Path:
        import pooch

        folder = cache(self.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, checksum in CHECKSUMS.items():
                pooch.retrieve(URL + name, f"sha256:{checksum}", fname=name, path=folder)
        except Exception as error:
            tried = ", ".join(map(str, folders(self.name)))
            raise DataError(
                f"MNIST is not in {tried} and can't be downloaded ({type(error).__name__}): set "
                "HPSEARCH_DATA to the folder that holds mnist/ with its four idx files"
            ) from error
        return folder


def _file(folder: Path, name: str) -> Path:
    plain = folder / name.removesuffix(".gz")
    return plain if plain.is_file() else folder / name
