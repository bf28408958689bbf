"""Rows on the numbers that Joint margin bounds prints."""

from __future__ import annotations

from fragility.claim import Claim, Quote, Reported, rows
from theory.reported import JOINT, find

_number = rows(JOINT, kind="reported", code=find, tolerance=1e-4)


CLAIMS: tuple[Claim, ...] = (
    _number(
        "joint.figure1.gain",
        at="Figure 1",
        says="adversarial training with the regulariser has an area about 24 per cent above plain adversarial training",
        formula=r"\frac{AUC_{AT+\beta} - AUC_{AT}}{AUC_{AT}} = 0.24",
        domain="data, architecture and coefficients not known; relative or absolute not said",
        theory=lambda: Reported(find(JOINT, "text", "AUC gain over adversarial training, per cent").value),
        quotes=(Quote("The AUC of best AT+ [..] model (e) improves that of AT by about 24%", "Section 4.1"),),
        reading="Per cent of the area under plain adversarial training.",
        note="The areas themselves are only in the figure.",
    ),
)
