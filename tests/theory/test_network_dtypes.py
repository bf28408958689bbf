"""Every function of networks and their bounds on every dtype: the numbers of double precision, or one line."""

import inspect
from fractions import Fraction
from itertools import count, cycle

import numpy as np
import pytest

from tests.each import each
from theory.joint import certificates, crown, margins, optimum
from theory.joint.optimum import closed_form_increase, joint_optimum, worst_margin
from theory.things import boxes, layers, network, penalties, relaxation
from theory.things.layers import AveragePool, Conv, Dense, Flatten, MaxPool
from theory.things.network import Budget, Network, class_labels, pairwise_margins

MODULES = (boxes, certificates, crown, optimum, layers, margins, network, penalties, relaxation)
STEPS = {  # inside of bounds: they take what the functions in the table have let through
    "boxes.magnitude", "boxes.peak", "boxes.affine", "margins.apart",
    "penalties.injected", "margins.last_interval", "crown.last_linear", "network.passed", "network.Network.number",
    "penalties.gain", "penalties.last_added", "relaxation.relu_lines",
}  # fmt: skip
RNG = np.random.default_rng(5)
WEIGHTS = [RNG.integers(0, 4, shape) for shape in [(3, 3)] * 3]  # exact in every dtype
BIASES = [RNG.integers(0, 4, n) for n in (3, 3, 3)]
X, IMAGES, KERNEL, HEAD = (RNG.integers(0, 4, shape) for shape in ((2, 3), (2, 1, 4, 4), (2, 1, 3, 3), (3, 8)))
LABELS, LOGITS = np.array([2, 0]), np.array([[1, 0, 3], [2, 3, 1]])
BUDGET, TWO, AT_X = Budget(0.125, (0.25, 0.0625, 0.125), 0.5), Budget(0.125, (0.25, 0.125), 0.5), Budget(0, 0.25, 0.5)


def dense(of, depth=3):
    return Network.dense([of(W) for W in WEIGHTS[:depth]], [of(b) for b in BIASES[:depth]])


def bare(of):
    return Network.dense([of(W) for W in WEIGHTS])


def convolutional(of, pool=AveragePool):
    return Network([Conv(of(KERNEL), of(BIASES[1][:2]), padding=1), pool(2), Flatten(), Dense(of(HEAD))])


def of_every_pair(bound):
    return lambda of: (bound(dense(of), of(X), BUDGET), bound(convolutional(of), of(IMAGES), TWO))


TABLE = {
    "network.Network.given": lambda of: dense(of).given(of(X)),
    "network.Network.shapes": lambda of: np.concatenate(dense(of).shapes(of(X))),
    "network.Network.activations": lambda of: dense(of).activations(of(X)),
    "network.Network.logits": lambda of: (dense(of).logits(of(X)), convolutional(of, MaxPool).logits(of(IMAGES))),
    "network.pairwise_margins": lambda of: pairwise_margins(of(LOGITS)),
    "network.plain": lambda of: Budget(of(X)[0, 0], of(X[0]), of(X)[1, 1]).layers(bare(of)),
    "boxes.input_box": lambda of: boxes.input_box(dense(of), of(X), 5, within=(0, 255)),
    "boxes.joint_boxes": lambda of: boxes.joint_boxes(dense(of), of(X), BUDGET).before,
    "boxes.logit_boxes": of_every_pair(boxes.logit_boxes),
    "crown.refined_boxes": lambda of: crown.refined_boxes(dense(of), of(X), BUDGET).before,
    "crown.crown_increase": of_every_pair(crown.crown_increase),
    "crown.tightest_increase": of_every_pair(crown.tightest_increase),
    "penalties.row_distances": lambda of: penalties.row_distances(dense(of)),
    "margins.tau": of_every_pair(margins.tau),
    "penalties.weight_reach": lambda of: penalties.weight_reach(dense(of), of(X), BUDGET).before,
    "margins.zeta": of_every_pair(margins.zeta),
    "margins.zeta_one_sided": of_every_pair(margins.zeta_one_sided),
    "margins.zeta_printed": lambda of: margins.zeta_printed(bare(of), of(X), BUDGET),
    "margins.theorem_increase": of_every_pair(margins.theorem_increase),
    "margins.clean_increase": of_every_pair(margins.clean_increase),
    "margins.interval_increase": of_every_pair(margins.interval_increase),
    "penalties.margin_penalties": lambda of: penalties.margin_penalties(dense(of), of(X), of.index(LABELS), BUDGET),
    "penalties.margin_penalties_printed": lambda of: penalties.margin_penalties_printed(
        bare(of), of(X), of.index(LABELS), BUDGET
    ),
    "penalties.reach_printed": lambda of: penalties.reach_printed(bare(of), of(X), BUDGET),
    "penalties.zeta_terms_printed": lambda of: penalties.zeta_terms_printed(bare(of), of(X), BUDGET),
    "certificates.certified_margins": lambda of: certificates.certified_margins(
        of(LOGITS), of.index(LABELS), of(np.ones((2, 3, 3)))
    ),
    "certificates.certified": lambda of: certificates.certified(of(LOGITS), of.index(LABELS), of(np.ones((3, 3)))),
    "certificates.certified_accuracy": lambda of: certificates.certified_accuracy(
        of(LOGITS), of.index(LABELS), of(np.ones((3, 3)))
    ),
    "certificates.certified_scale": lambda of: certificates.certified_scale(dense(of, 2), of(X[0]), 1, TWO),
    "certificates.rounding_slack": of_every_pair(certificates.rounding_slack),
    "optimum.joint_optimum": lambda of: joint_optimum(dense(of, 2), of(X[0]), TWO, (0, 1)).increase,
    "optimum.worst_margin": lambda of: worst_margin(dense(of, 2), of(X[0]), 1, TWO).upper,
    "optimum.closed_form_increase": lambda of: closed_form_increase(dense(of, 2), of(X), AT_X),
}

LABELLED = {
    "network.class_labels": lambda of, labels: class_labels(labels, 3, (2,)),
    "penalties.margin_penalties": lambda of, labels: penalties.margin_penalties(dense(of), of(X), labels, BUDGET),
    "penalties.margin_penalties_printed": lambda of, labels: penalties.margin_penalties_printed(
        bare(of), of(X), labels, BUDGET
    ),
    "certificates.certified_margins": lambda of, labels: certificates.certified_margins(
        of(LOGITS), labels, of(np.ones((2, 3, 3)))
    ),
    "certificates.certified": lambda of, labels: certificates.certified(of(LOGITS), labels, of(np.ones((3, 3)))),
    "certificates.certified_accuracy": lambda of, labels: certificates.certified_accuracy(
        of(LOGITS), labels, of(np.ones((3, 3)))
    ),
}
KINDS = ("uint8", "int8", "int64", "bool", "float16", "float32", "float64")


class Of:
    """Converts arrays to a library, one after the other to one of the kinds."""

    def __init__(self, xp, *kinds):
        self.xp, self.kinds = xp, cycle(kinds)

    def __call__(self, array):
        return self.cast(array, next(self.kinds))

    def index(self, labels):
        return self.xp.asarray(labels)

    def cast(self, array, kind):
        array = np.asarray(array)
        return array.astype(kind) if self.xp is np else self.xp.asarray(array).to(getattr(self.xp, kind))


class Rounded(Of):
    """The same numbers in double precision."""

    def __call__(self, array):
        return super().__call__(array).astype(float)


def flat(value):
    if isinstance(value, (tuple, list)):
        return np.concatenate([flat(part) for part in value])
    return np.atleast_1d(np.asarray(value, dtype=float)).ravel()


@pytest.fixture(params=["numpy", "torch"])
def xp(request):
    return pytest.importorskip(request.param)


def test_every_public_function_stands_in_the_table():
    found = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in MODULES
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    } | {f"network.Network.{name}" for name, value in vars(Network).items() if inspect.isfunction(value)}
    found = {name for name in found if "._" not in name}
    assert found == TABLE.keys() | LABELLED.keys() | STEPS


@pytest.mark.parametrize("name", TABLE)
@each("kind", KINDS)
def test_stored_numbers_count_as_double_precision(name, kind, xp):
    expected, found = (flat(TABLE[name](of)) for of in (Rounded(np, kind), Of(xp, kind)))
    assert found == pytest.approx(expected, rel=1e-12 if kind in ("uint8", "int8", "int64", "bool") else 1e-5)


@pytest.mark.parametrize("name", TABLE)
def test_of_several_kinds_the_widest_counts(name, xp):
    expected = flat(TABLE[name](Of(np, "float64")))
    for kinds in (("float32", "float64"), ("float64", "float32"), ("uint8", "float32", "int64", "float16", "float64")):
        assert flat(TABLE[name](Of(xp, *kinds))) == pytest.approx(expected, rel=1e-5)


OTHERS = [("torch", "complex64"), ("torch", "list")] + [
    ("numpy", kind) for kind in ("complex64", "complex128", "text", "text objects", "datetime64[s]", "list")
]


@pytest.mark.parametrize(("library", "kind"), OTHERS)
@pytest.mark.parametrize("name", [name for name in TABLE if name != "network.plain"])
def test_what_is_no_real_number_is_refused_in_one_line(name, kind, library):
    xp = pytest.importorskip(library)
    cast = {
        "text": lambda array: np.asarray(array).astype(str),
        "text objects": lambda array: np.asarray(array).astype(str).astype(object),
        "list": lambda array: np.asarray(array).tolist(),
    }.get(kind, lambda array: Of(xp).cast(array, kind))
    for bad in range(8):  # every argument once, the others in double precision
        turn = count()

        class One(Of):
            def __call__(self, array):
                return cast(array) if next(turn) == bad else super().__call__(array)  # noqa: B023

        of = One(xp, "float64")
        try:
            TABLE[name](of)
        except ValueError as error:
            assert "\n" not in str(error)
        else:
            assert next(turn) <= bad


@pytest.mark.parametrize("name", LABELLED)
def test_labels_are_integers_one_per_sample(name, xp):
    of, function = Of(xp, "float64"), LABELLED[name]
    expected = flat(function(Of(np, "float64"), LABELS))
    for kind in ("uint8", "int8", "int32", "int64"):
        assert flat(function(of, of.cast(LABELS, kind))) == pytest.approx(expected)
    for kind in ("float64", "bool", "complex128"):
        with pytest.raises(ValueError, match=r"^labels must be integers, got dtype .*$"):
            function(of, of.cast(LABELS, kind))
    for labels, message in (
        ([3, 0], "labels must be classes 0 to 2"),
        ([-1, 0], "labels must be classes 0 to 2"),
        ([1, 0, 2], r"labels must be one per sample, of shape \(2,\), got \(3,\)"),
        ([[1], [0]], r"labels must be one per sample, of shape \(2,\), got \(2, 1\)"),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            function(of, of.index(labels))
    with pytest.raises(ValueError, match=r"^labels must be an array of integers, got list$"):
        function(of, [1, 0])
    if xp is np:
        with pytest.raises(ValueError, match=r"^labels must be integers, got dtype "):
            function(of, np.array(["2", "0"]))


@pytest.mark.parametrize("name", [name for name in TABLE if name not in ("network.pairwise_margins", "network.plain")])
def test_arrays_of_two_libraries_are_refused_in_one_line(name):
    torch = pytest.importorskip("torch")
    turn = count()

    class Either(Of):
        def __call__(self, array):
            return np.asarray(array, dtype=float) if next(turn) % 2 else torch.asarray(array, dtype=torch.float64)

    with pytest.raises(ValueError, match=r"^.* must be arrays of one library, got .*$"):
        TABLE[name](Either(np, "float64"))


RADII = {
    "Python": 3, "NumPy scalar": np.uint8(3), "NumPy array": np.array(3, dtype=np.uint8), "half": np.float16(3),
    "single": np.float32(3), "fraction": Fraction(3),
}  # fmt: skip


@pytest.mark.parametrize("name", RADII)
def test_radii_do_not_wrap(name, xp):
    of, radius = Of(xp, "float64"), RADII[name]
    net, x = dense(of), of(X)
    expected = flat(margins.interval_increase(net, x, Budget(3, 3, 3), (0, 255)))
    for budget in (Budget(radius, radius, radius), Budget(radius, [radius] * 3, [radius] * 3)):
        assert flat(margins.interval_increase(net, x, budget, (np.uint8(0), np.uint8(255)))) == pytest.approx(expected)
        assert flat(margins.theorem_increase(net, x, budget)) == pytest.approx(
            flat(margins.theorem_increase(net, x, Budget(3, 3, 3)))
        )
    assert Budget(radius).scaled(np.uint8(100)).input == 300
    assert boxes.input_box(net, x, radius).lower.dtype == xp.float64


def test_radii_of_torch_do_not_wrap_and_differentiate():
    torch = pytest.importorskip("torch")
    of = Of(torch, "float64")
    radius = torch.asarray(3, dtype=torch.uint8)
    found = margins.interval_increase(dense(of), of(X), Budget(radius, torch.asarray([3, 3, 3], dtype=torch.uint8)))
    assert flat(found) == pytest.approx(flat(margins.interval_increase(dense(of), of(X), Budget(3, 3))))
    radius = torch.asarray(3.0, requires_grad=True)
    margins.interval_increase(dense(of), of(X), Budget(radius, radius)).sum().backward()
    assert radius.grad > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Budget("0.1"), "input must be a number and be at least 0 and finite, got '0.1'"),
        (lambda: Budget(0, ("a", 1)), "weights must be a number and be at least 0 and finite, got 'a'"),
        (lambda: Budget(0, np.ones((2, 2))), r"weights must be a number and .*"),
        (lambda: Budget(1j), "input must be a number and be at least 0 and finite, got 1j"),
        (lambda: Budget(np.complex64(1)), "input must be a real number, got .*"),
        (lambda: Budget(np.array("0.1")), "input must be a number and be at least 0 and finite, got .*"),
        (lambda: Budget(np.datetime64(1, "s")), "input must be a number and be at least 0 and finite, got .*"),
        (lambda: Budget(1).scaled("2"), "factor must be a number and be at least 0 and finite, got '2'"),
        *(
            (lambda within=within: boxes.input_box(bare(Of(np, "float64")), X, 1, within),
             "within must be (two finite numbers, the lower one first|a real number), got .*")
            for within in ((1, 0), (0, 0), (0,), (0, 1, 2), ("0", "9"), (0, np.inf), (np.nan, 1), 5, (0, 1j),
                           (np.zeros(2), 1), "09",
                           (np.complex64(0), np.complex64(1)))
        ),
    ],
)  # fmt: skip
def test_what_is_no_radius_and_no_range_is_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()


def test_fractions_stay_fractions_among_integers_only():
    third = Fraction(1, 3)
    net = Network.dense([np.array([[third, 1], [0, third]], dtype=object)])
    found = margins.interval_increase(net, np.array([3, 6]), Budget(third, third))
    assert isinstance(found[0, 1], Fraction)
    assert net.logits(np.array([3, 6], dtype=np.uint8)).tolist() == [7, 2]
    with pytest.raises(ValueError, match=r"^x must hold fractions or integers, as the weights do, got dtype float64$"):
        net.logits(np.array([3.0, 6.0]))
    with pytest.raises(
        ValueError, match=r"^weights and biases must all hold fractions or all floating point, got both$"
    ):
        Network.dense([np.array([[third]]), np.array([[0.5]])])
    floating = Network.dense([np.eye(2)])
    assert margins.interval_increase(floating, np.array([third, 1]), Budget(third, third)).dtype == float
