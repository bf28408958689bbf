"""The data sets: their classes, the names of their files, and where each is published with which checksum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DIGITS = tuple("0123456789")
CLASSES = {
    "mnist": DIGITS,
    "fashion-mnist": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    "digits": DIGITS,
}
SPLITS = ("train", "test")
PHOTOGRAPHS = "imagenet"

IDX_FILES = {  # images and labels, each as it is or with .gz
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
BATCH_FOLDER, BATCH_ARCHIVE = "cifar-10-batches-py", "cifar-10-python.tar.gz"
BATCHES = {"train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",)}


@dataclass(frozen=True)
class Published:
    """Files that can be downloaded.

    Parameters
    ----------
    folder : where they belong, below the folder of data sets.
    files : checksum of each file by its name, as pooch reads it: "sha256:...".
    mirrors : addresses, the preferred first, to which a file's name is added.
    """

    folder: str
    files: Mapping[str, str]
    mirrors: tuple[str, ...]


# SHA-256 of files whose MD5 are the published ones.
PUBLISHED = {
    "mnist": Published(
        "MNIST/raw",
        {
            "train-images-idx3-ubyte.gz": "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
    ),
    "fashion-mnist": Published(
        "FashionMNIST/raw",
        {
            "train-images-idx3-ubyte.gz": "sha256:3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "sha256:a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "sha256:346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "sha256:67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
    ),
    "cifar10": Published(
        "",
        {BATCH_ARCHIVE: "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"},
        ("https://www.cs.toronto.edu/~kriz/",),
    ),
}
LAYOUTS = {
    "mnist": "MNIST/raw/*-ubyte.gz",
    "fashion-mnist": "FashionMNIST/raw/*-ubyte.gz",
    "cifar10": f"{BATCH_FOLDER}/ or {BATCH_ARCHIVE}",
    PHOTOGRAPHS: "imagenet/WNID/*.JPEG or imagenet/val/WNID/*.JPEG",
}
