"""The package's own book of claims: a row per statement of the papers, with its theory, its evidence and its decoys.

A folder per paper, named like the first part of its statements' ids; in it a file per mathematical object, which bears
the object's name in every room.
"""

from importlib.resources import files
from pathlib import Path

from fragility.book import Book, Paper, put_right_after
from theory.claims import cond, fc, joint, latent, norm, universality

BOOK = Book(
    put_right_after(
        (
            *fc.CLAIMS,
            *joint.CLAIMS,
            *cond.CLAIMS,
            *latent.CLAIMS,
            *norm.CLAIMS,
            *universality.CLAIMS,
        )
    ),
    __file__,
    {
        "fc": Paper(
            "Feature compression",
            "*Feature compression is the root cause of adversarial fragility in neural network classifiers*",
        ),
        "joint": Paper("Joint margin bounds", "*Non-singular adversarial robustness of neural networks*"),
        "cond": Paper(
            "Conditioning",
            "A. Bajwa, Z. Choudhury, S. Srivastava, *Investigating the impact of conditioning on neural network"
            " adversarial robustness*, 2018",
        ),
        "latent": Paper("Latent and SVD defences", "J. Cocola, V. S. Rabindranath, *Making neural nets robust again*"),
        "norm": Paper("ConvNorm", "F. O'Hanlon, *Adversarial robustness of convolutional networks*"),
        "universality": Paper("Universality"),
    },
    Path(str(files("theory"))) / "witnesses",
)
