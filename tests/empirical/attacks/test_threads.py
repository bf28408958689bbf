"""Attacks on two threads of one process: what one draws from torch's global state is not laid to the other's model."""

from threading import Event, Thread

import torch

from empirical.attacks.foolbox_attacks import ddn
from empirical.attacks.problem import Known, Problem
from empirical.decisions.inputs import check_model
from empirical.decisions.judge import Judge


def test_a_model_is_not_blamed_for_what_another_attack_draws():
    """The other attack would begin, and draw, while the model is looked at."""
    x = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))
    weight = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    plain = Judge(lambda z: z @ weight.T, x, (x @ weight.T).argmax(1))
    nothing = Known(torch.full((4,), torch.inf, dtype=torch.float64), x)
    looked_at, drawn = Event(), Event()

    def attack():
        looked_at.wait(10)
        before = torch.get_rng_state()
        ddn(Problem(plain), nothing, 3)
        if not torch.equal(before, torch.get_rng_state()):
            drawn.set()

    def watched(z):
        looked_at.set()
        drawn.wait(0.2)
        return z @ weight.T

    other = Thread(target=attack)
    other.start()
    assert check_model(watched, x, None) == 5
    other.join(10)
    assert drawn.is_set()  # else there would be nothing to keep apart
