"""Rows on the numbers that Conditioning prints in its Tables I and II."""

from __future__ import annotations

from fragility.claim import Claim, Quote, Reported, rows
from theory.reported import CONDITIONING, attacked_accuracy, condition_number, find

_number = rows(CONDITIONING, kind="reported", code=find, tolerance=1e-4)


CLAIMS: tuple[Claim, ...] = (
    _number(
        "cond.tables.kappa",
        at="Tables I and II",
        says="condition numbers of the trained weight matrices in four norms",
        formula=r"\kappa_p(W) = \|W\|_p \|W^+\|_p",
        domain="table 1 or 2, four norms, five layers",
        theory=lambda table=1, norm="L2", layer="simple": Reported(condition_number(table, norm, layer).value),
        quotes=(
            Quote("the condition numbers of their weight matrices calculated under different norms", "Section V-B"),
            Quote("36.48 140.31 3.22e3 1.83e9 19.32", "Table I, row L_2"),
        ),
        reading="As printed; the definition is that of Section III-B, with the pseudo-inverse.",
        note="Two trainings, one for each table: the numbers of one network differ between them.",
    ),
    _number(
        "cond.tables.accuracy",
        at="Tables I and II",
        says="accuracy under FGSM (table 1) and FGMT (2)",
        formula=r"A(\epsilon)",
        domain="eight radii, two networks",
        theory=lambda table=1, model="simple", radius="0.01": Reported(attacked_accuracy(table, model, radius).value),
        quotes=(
            Quote("the test accuracies on adversarial examples generated with different", "Section V-B"),
            Quote("0.088 [..] 0.583", "Table I, epsilon = 0.01"),
        ),
        reading="as printed",
        note="How many steps the attack took is not printed. In networks that we trained one step of the printed size"
        " leaves far more, and twelve without projection fit: a guess.",
    ),
)
