"""Training of one network: what it depends on, what it learns, what it refuses."""

import threading
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from empirical.models.dropout import Dropout, drawn_from
from empirical.models.mnist import two_conv
from empirical.training.network import Minibatches, Recipe, evaluate, generator, train
from empirical.training.objective import CROSS_ENTROPY
from fragility.engine.study import UsageError


@pytest.fixture(scope="module")
def digits():
    """scikit-learn's digits: 1,500 to train on and 297 to test, uint8 of 0..255."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = torch.from_numpy((x * 255 / 16).round()).to(torch.uint8).reshape(-1, 1, 8, 8)
    return x[:1500], torch.from_numpy(y[:1500]), x[1500:], torch.from_numpy(y[1500:])


class Watched(nn.Linear):
    """Keeps what it is given."""

    met: tuple = ()

    def forward(self, x):
        self.met += (x,)
        return super().forward(x)


def weights(model):
    return torch.cat([value.flatten() for value in model.state_dict().values()])


def trained(digits, seed=0, **recipe):
    model = two_conv(3, 8)
    train(model, digits[0][:96], digits[1][:96], 2, seed, Recipe(**recipe))
    return weights(model)


def test_it_learns_digits_and_reports_what_an_evaluation_finds(digits):
    model = two_conv(0, 8)
    x, y, *test = digits
    history = train(model, x, y, 4, 0, test=tuple(test))
    assert history[-1]["test_accuracy"] > 0.8  # of writers that the training images do not know
    assert history[-1]["test_accuracy"] == evaluate(model, *test)
    assert history[0]["loss"] > 2 * history[-1]["loss"]
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_training_is_a_function_of_its_seed_and_of_no_global_state(digits):
    before = torch.get_rng_state()
    alone = trained(digits)
    torch.manual_seed(99)
    beside = {}
    threads = [threading.Thread(target=lambda k=k: beside.update({k: trained(digits, k)})) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.equal(alone, beside[0])
    assert not torch.equal(alone, beside[1])
    torch.manual_seed(99)
    after = torch.get_rng_state()
    trained(digits)
    assert torch.equal(torch.get_rng_state(), after)
    torch.set_rng_state(before)


def test_a_resumed_training_equals_one_that_never_stopped(digits, tmp_path):
    x, y = digits[0][:96], digits[1][:96]
    whole, begun, resumed = (two_conv(3, 8) for _ in range(3))
    history = train(whole, x, y, 3, 0)
    train(begun, x, y, 1, 0, checkpoint=tmp_path / "digits.pt")
    assert train(resumed, x, y, 3, 0, checkpoint=tmp_path / "digits.pt") == history
    assert torch.equal(weights(resumed), weights(whole))


def test_bytes_and_numbers_from_0_to_1_train_alike(digits):
    models = two_conv(3, 8), two_conv(3, 8)
    for model, x in zip(models, (digits[0][:64], digits[0][:64].float() / 255), strict=True):
        train(model, x, digits[1][:64], 1, 0)
    assert torch.equal(*map(weights, models))
    with_bytes, with_floats = (evaluate(models[0], x, digits[1]) for x in (digits[0], digits[0].float() / 255))
    assert with_bytes == with_floats


def test_an_epoch_meets_every_image_once_in_an_order_of_its_own(digits):
    x = torch.arange(50.0)[:, None]
    orders = []
    for seed, number in ((0, 1), (0, 2), (1, 1), (0, 1)):
        model = Watched(1, 2)
        Minibatches(model, x, torch.zeros(50, dtype=torch.int64), seed, Recipe(batch=16)).epoch(number)
        assert [len(part) for part in model.met] == [16, 16, 16, 2]
        orders.append(torch.cat(model.met)[:, 0].tolist())
    assert all(sorted(order) == x[:, 0].tolist() for order in orders)
    assert orders[0] == orders[3]
    assert len({tuple(order) for order in orders}) == 3


def test_masks_are_a_function_of_seed_and_epoch():
    masks = []
    for seed, number in ((0, 1), (0, 2), (1, 1), (0, 1)):
        model = Watched(20, 2)
        network = nn.Sequential(Dropout(0.5), model)
        Minibatches(network, torch.ones(32, 20), torch.zeros(32, dtype=torch.int64), seed, Recipe(batch=16)).epoch(
            number
        )
        masks.append(tuple(torch.cat(model.met).flatten().tolist()))
    assert masks[0] == masks[3]
    assert len(set(masks)) == 3


@pytest.mark.parametrize("name", ["Adadelta", "Adam", "AdamW", "SGD"])
def test_every_optimiser_lowers_the_loss_and_its_rate_decays(digits, name):
    options = (("momentum", 0.9),) if name == "SGD" else ()
    rate = {"Adadelta": 1.0, "SGD": 0.1}.get(name, 1e-3)
    model = two_conv(0, 8)
    trainee = Minibatches(model, *digits[:2], 0, Recipe(name, rate, 0.5, options=options))
    trainee.x, trainee.y = trainee.x[:320], trainee.y[:320]
    first, second = trainee.epoch(1), trainee.epoch(2)
    assert second["loss"] < first["loss"]
    assert trainee.optimiser.param_groups[0]["lr"] == pytest.approx(rate / 4)


def test_dropout_has_its_rate_and_keeps_the_mean():
    layer = nn.Sequential(Dropout(0.25))
    x = torch.ones(200, 1000)
    with drawn_from(layer, generator("cpu", 0)):
        first, second = layer(x), layer(x)
    with drawn_from(layer, generator("cpu", 0)):
        assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)
    assert first.unique().tolist() == pytest.approx([0, 4 / 3])
    assert abs((first == 0).float().mean() - 0.25) < 5 * (0.25 * 0.75 / x.numel()) ** 0.5
    assert torch.equal(layer.eval()(x), x)


def test_dropout_never_draws_from_the_global_stream():
    with pytest.raises(RuntimeError, match="needs a generator"):
        Dropout(0.5)(torch.ones(2))
    with pytest.raises(TypeError, match=r"must be empirical\.models\.dropout"):
        train(nn.Sequential(nn.Linear(1, 2), nn.Dropout()), torch.ones(4, 1), torch.zeros(4, dtype=torch.int64), 1, 0)
    layer = Dropout(0.5)
    with pytest.raises(ZeroDivisionError), drawn_from(layer, generator("cpu", 0)):
        raise ZeroDivisionError
    assert layer.generator is None


def test_an_evaluation_counts_and_leaves_the_mode(digits):
    class Parity(nn.Module):
        def forward(self, x):
            assert not self.training
            return nn.functional.one_hot(x.sum((1, 2, 3)).round().long() % 2, 10).float()

    x = torch.zeros(450, 1, 2, 2)
    x[::3, 0, 0, 0] = 1
    model = Parity().train()
    assert evaluate(model, x, torch.zeros(450, dtype=torch.int64)) == pytest.approx(300 / 450)
    assert model.training


def test_a_recipe_that_cannot_be_followed_is_a_line():
    with pytest.raises(UsageError, match=r"one of Adadelta, .*'Newton'"):
        Minibatches(nn.Linear(1, 2), torch.ones(1, 1), torch.zeros(1, dtype=torch.int64), 0, Recipe("Newton"))


def test_an_epoch_of_so_many_steps_goes_on_with_another_order():
    x = torch.arange(10.0)[:, None]
    for steps, expected in ((2, [4, 4]), (7, [4] * 7)):
        model = Watched(1, 2)
        Minibatches(model, x, torch.zeros(10, dtype=torch.int64), 0, Recipe(batch=4, steps=steps)).epoch(1)
        assert [len(part) for part in model.met] == expected
    met = torch.cat(model.met)[:, 0].tolist()
    passes = met[:10], met[10:20], met[20:]
    assert sorted(passes[0]) == sorted(passes[1]) == x[:, 0].tolist()
    assert passes[0] != passes[1]
    assert len({*passes[2]}) == 8


@dataclass(frozen=True)
class Halved:
    """Half the cross-entropy, with a word on what it draws."""

    drawn: list

    def backward(self, model, x, y, generator):
        loss, logits = CROSS_ENTROPY.backward(model, x, y, generator)
        for parameter in model.parameters():
            parameter.grad /= 2
        self.drawn.append(float(torch.rand((), generator=generator)))
        return loss / 2, logits


def test_an_objective_is_what_is_descended(digits):
    """Half the loss with twice the rate is the same training; what is drawn is a function of seed and epoch."""
    drawn = [], []
    models = [two_conv(3, 8) for _ in range(3)]
    x, y = digits[0][:96], digits[1][:96]
    whole = train(models[0], x, y, 2, 0, Recipe("SGD", 0.25))
    half = [
        train(model, x, y, 2, 0, Recipe("SGD", 0.5), objective=Halved(kept))
        for model, kept in zip(models[1:], drawn, strict=True)
    ]
    assert torch.equal(weights(models[0]), weights(models[1]))
    assert [report["loss"] for report in whole] == [2 * report["loss"] for report in half[0]]
    assert drawn[0] == drawn[1]
    assert len({*drawn[0]}) == len(drawn[0]) == 4


class Diary:
    """Keeps a weight at every step."""

    def __init__(self):
        self.seen = []

    def look(self, step, model):
        self.seen.append([float(step), float(model[0].weight.detach().flatten()[0])])

    def state(self):
        return {"seen": self.seen}

    def restore(self, state):
        self.seen = state["seen"]


def test_a_watch_sees_every_step_and_remembers_what_it_saw_before_a_stop(digits, tmp_path):
    x, y = digits[0][:96], digits[1][:96]
    whole, begun, resumed = Diary(), Diary(), Diary()
    train(two_conv(3, 8), x, y, 3, 0, watch=whole)
    assert [step for step, _ in whole.seen] == [*range(7)]
    assert whole.seen[0][1] == float(weights(two_conv(3, 8))[0])
    file = tmp_path / "digits.pt"
    train(two_conv(3, 8), x, y, 1, 0, checkpoint=file, watch=begun)
    for _ in range(2):  # goes on, and is then only read
        train(two_conv(3, 8), x, y, 3, 0, checkpoint=file, watch=resumed)
        assert resumed.seen == whole.seen


def test_a_recipe_says_all_that_it_sets():
    told = {str(Recipe(**change)) for change in ({}, {"rate": 0.5}, {"decay": 1.0}, {"batch": 32}, {"steps": 3})}
    told |= {str(Recipe("SGD")), str(Recipe("SGD", options=(("momentum", 0.9),)))}
    assert len(told) == 7
