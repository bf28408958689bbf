"""The study of latent codes on scikit-learn's digits: what is trained, on what, and what is recorded."""

from functools import partial

import numpy as np
import pytest
import torch

from empirical.attacks import bracket, ensemble, penalised
from empirical.data import digest, load
from empirical.latent_defence.codes import ATTACKED, JUDGED, TRAIN, codings
from empirical.latent_defence.columns import STATISTICS
from empirical.latent_defence.setting import CODES, GRADIENTS, KINDS, PENALTIES, SPACES, Setting
from empirical.latent_defence.study import STUDY
from empirical.latent_defence.trainings import autoencoders, classifier, parts
from empirical.shared.seeds import draw, points
from fragility.backends.torch_backend import on
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError

measure = STUDY.methods["trained"].measure
NOWHERE = {"implicit", "steps"}, {"exact", "expected"}  # ways that encodings and projections have not


class Hasty(penalised.Penalised):
    """The attack in a few long steps, to less than a third."""

    def __init__(self, penalty, box, **_):
        super().__init__(penalty, confidence=0.3, steps=40, rate=0.3, box=box)


def axes(**changed):
    small = {
        "dataset": ["digits"], "training": [400], "tested": [150], "epochs": [3], "epochs_codes": [4], "width": [20],
        "epochs_autoencoder": [3], "images": [2], "projection_steps": [2], "noises": [2], "pairs": [1],
        "ddn_implicit": [1],
    }  # fmt: skip
    return {name: axis.default for name, axis in STUDY.grid.items()} | small | changed


def point(**changed):
    (found,) = points(**axes(**{name: [value] for name, value in changed.items()}))
    return found


@pytest.fixture(scope="module", autouse=True)
def checkpoints(tmp_path_factory):
    with using(Context(checkpoints=tmp_path_factory.mktemp("checkpoints"))):
        yield


@pytest.fixture(scope="module", autouse=True)
def small_batches():
    """Of so few images one batch of the paper's size would be an epoch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("empirical.latent_defence.trainings.BATCH", 40)
        yield


@pytest.fixture(scope="module")
def quick():
    """Attacks of a few steps: they have tests of their own, and take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bracket, "bracket", partial(bracket.bracket, attacks=("fast_gradient",)))
        patch.setattr(penalised, "Penalised", Hasty)
        patch.setattr(ensemble, "STANDARD", ("apgd-ce",))
        yield


def measured():
    there = point()
    return measure(on("cpu"), draw(on("cpu").stream(7, 0), 1, **there), **there)


@pytest.fixture(scope="module")
def whole(quick):
    return measured()


def test_what_is_recorded(whole):
    sizes = STATISTICS.shapes(1, course=4, pixels=64)
    for name, shape in sizes.items():
        assert whole[name].shape == shape, name
    infinite = {"losses", "pixels", "pixels_by", "failed_by", "auto", "auto_clean"}
    for name in set(STATISTICS) - infinite - {"picture_attacked", "picture_length", "picture_as"}:
        assert STATISTICS[name].optional or np.isfinite(whole[name]).all(), name
        assert np.isfinite(whole[name]).any(), name
    np.testing.assert_array_equal(whole["penalties"][0], PENALTIES)
    for name, one in STATISTICS.items():
        if one.unit == "in [0, 1]":
            assert np.nanmin(whole[name]) >= 0, name
            assert np.nanmax(whole[name]) <= 1, name


def test_losses_fall_and_end_with_their_training(whole):
    assert np.isnan(whole["losses"][:, 0, :, 3:]).all()
    assert np.isfinite(whole["losses"][:, 0, :, :3]).all()
    assert np.isfinite(whole["losses"][:, 1:]).all()
    assert (whole["losses"][:, 1:, :, -1] < whole["losses"][:, 1:, :, 0]).all()


def test_each_way_of_attack_is_where_it_applies(whole):
    ways = {way: whole["pixels_by"][..., k] for k, way in enumerate(GRADIENTS)}
    for i, space in enumerate(SPACES):
        absent = NOWHERE[space.endswith("projection")] | ({"transfer", "expected"} if space == "image" else set())
        absent |= {"expected"} if space == "ae_encoding" else set()
        for way in GRADIENTS:
            assert np.isnan(ways[way][:, i]).all() == (way in absent), (space, way)
            assert np.isnan(whole["failed_by"][:, i, :, GRADIENTS.index(way)]).all() == (way in absent)
        assert np.isnan(whole["auto"][:, i]).all() == space.endswith("projection")
    np.testing.assert_array_equal(np.isnan(whole["auto"]), np.isnan(whole["auto_clean"]))


def test_no_bound_is_above_what_attacks_find_and_nothing_found_is_above_one_way(whole):
    assert (whole["pixels_lower"] <= whole["pixels"]).all()
    assert (whole["pixels"] <= np.nanmin(whole["pixels_by"], axis=-1)).all()
    assert (whole["pixels_lower"][:, :2] > 0).any()
    assert (whole["pixels_lower"][:, 2:] == 0).all()
    assert (np.nan_to_num(whole["auto"]) <= np.nan_to_num(whole["auto_clean"])).all()
    np.testing.assert_array_equal(whole["auto_clean"][:, 0], whole["pixels_clean"][:, 0])


def test_the_picture_is_one_of_the_attacked_images_and_what_flips_a_classifier_of_each_space(whole):
    images = parts(Setting(**point()))[1].first(2)
    clean, flipped, lengths = (whole[name][0] for name in ("picture", "picture_attacked", "picture_length"))
    (number,) = [k for k, image in enumerate(images.x) if np.allclose(image.ravel() / 255, clean)]
    assert whole["picture_label"][0] == images.labels[number]
    found = np.isfinite(lengths)
    assert found.any()
    np.testing.assert_allclose(np.linalg.norm(flipped - clean, axis=1)[found], lengths[found], rtol=1e-5)
    np.testing.assert_array_equal(np.isfinite(flipped).all(axis=1), found)
    np.testing.assert_array_equal(np.isfinite(whole["picture_as"][0]), found)
    assert not (whole["picture_as"][0] == images.labels[number]).any()


def test_attempts_stall_where_theory_says_so_of_linear_classifiers(whole):
    linear = slice(0, KINDS.index("lrl"))
    np.testing.assert_array_equal(whole["stalled_at"][:, :, linear], whole["stall_certified"][:, :, linear])
    assert (np.diff(whole["stall_certified"], axis=-1) >= 0).all()
    assert whole["stall_certified"][..., -1].max() > 0


def test_the_same_seed_gives_the_same_numbers_again(whole):
    again = measured()
    for name in STATISTICS:
        np.testing.assert_array_equal(again[name], whole[name])


def test_codes_are_means_or_samples(quick):
    setting = Setting(**point())
    train, judged = parts(setting)
    by_code = {
        code: codings(Setting(**point(code=code)), 5, train, "cpu")["vae_encoding"] for code in ("sample", "mean")
    }
    x = judged.tensor()[:4]
    for coding in by_code.values():
        mean, log_variance = coding.coder.moments(x)
        codes = coding.codes(x, TRAIN)
        spread = (codes - mean) / (log_variance / 2).exp()
        assert (spread.std() > 0.7) == coding.sampled
        assert torch.equal(codes, coding.codes(x, TRAIN))
        assert torch.equal(codes, coding.codes(x, ATTACKED)) != coding.sampled
    assert by_code["sample"].noise(3).shape == (3, 32)


def test_projections_start_at_one_point_and_come_closer_than_it():
    setting = Setting(**point(projection_steps=60))
    train, judged = parts(setting)
    made = codings(setting, 5, train, "cpu")
    x = judged.tensor()[:6]
    for space in CODES[1::2]:
        coding = made[space]
        away = [
            (coding.coder.decode(z) - x).flatten(1).norm(dim=1) for z in (coding.start[None], coding.codes(x, JUDGED))
        ]
        assert (away[1] < away[0]).all()
    assert not torch.equal(made[CODES[1]].start, made[CODES[3]].start)


def test_codes_of_a_set_keep_their_labels():
    setting = Setting(**point())
    train, judged = parts(setting)
    found = codings(setting, 5, train, "cpu")["ae_encoding"].points(judged, JUDGED, "cpu")
    np.testing.assert_array_equal(found.labels, judged.labels)
    expected = autoencoders(setting, 5, train, "cpu")[0].encode(judged.tensor())
    np.testing.assert_array_equal(found.x, expected.numpy())


def test_classifiers_of_a_seed_and_kind_begin_alike_in_every_space_of_codes(monkeypatch):
    begun = []
    monkeypatch.setattr("empirical.training.once.train", lambda model, *_, **__: begun.append(model) or [{}])
    setting = Setting(**point())
    train, _ = parts(setting)
    codes = codings(setting, 1, train, "cpu")["ae_encoding"].points(train, TRAIN, "cpu")
    begun.clear()
    for seed, space in ((1, "ae_encoding"), (1, "vae_encoding"), (2, "ae_encoding")):
        classifier(setting, space, "lrl", seed, codes, "cpu")
    weights = [model[1].weight for model in begun]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert weights[0].shape == (20, 32)


def test_no_network_is_trained_on_what_is_held_out():
    train, judged = parts(Setting(**point(training=1150, held_out=1, tested=500)))
    whole = load("digits", "train")
    np.testing.assert_array_equal(np.concatenate([train.x, judged.x]), whole.x)
    assert len(parts(Setting(**point(training=1437)))[0]) == 1437
    assert len(parts(Setting(**point(tested=10_000)))[1]) == 360
    with pytest.raises(UsageError, match=r"at most 1150 for digits, whose last 287 .* held out, got 1151"):
        parts(Setting(**point(training=1151, held_out=1)))
    with pytest.raises(UsageError, match=r"at most 1437 for digits, got 1438"):
        parts(Setting(**point(training=1438)))


def test_points_are_all_combinations_and_name_their_images():
    sweep = points(**axes(width=[10, 20], code=["mean", "sample"]))
    assert len(sweep) == 4
    assert tuple(sweep[0]) == (*STUDY.grid, "data")
    assert {one["data"] for one in sweep} == {digest("digits")}


@pytest.mark.parametrize(
    ("axis", "text", "match"),
    [
        ("dataset", "cifar10", "--dataset must be among mnist, fashion-mnist, digits, got cifar10"),
        ("projection", "linf", "--projection must be among l2, l1, got linf"),
        ("code", "median", "--code must be among sample, mean, got median"),
        ("held_out", "2", "--held-out must be among 0, 1, got 2"),
        ("penalty", "0", "--penalty must be positive, got 0"),
        ("pairs", "0", "--pairs must be an integer of at least 1, got 0"),
        ("ddn_steps", "-1", "--ddn-steps must be an integer of at least 0, got -1"),
    ],
)
def test_flags_out_of_their_range_are_a_line(axis, text, match):
    with pytest.raises(UsageError, match=match):
        STUDY.grid[axis].parse(text)
