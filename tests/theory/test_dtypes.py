"""Formulas on arrays in every dtype: the numbers of double precision to the dtype's own, or one line of refusal.

Arrays of another dtype are compared with the same entries in double precision, so that what wraps, truncates or
overflows shows.
"""

from fractions import Fraction
from inspect import isfunction, signature

import numpy as np
import pytest

from tests.each import each
from tests.theory import formulas_of_matrices as matrices
from tests.theory import formulas_of_points as points
from theory.conditioning import condition_numbers, gaussian_spectrum, universality
from theory.conditioning.gaussian_condition import TwoColumnCondition
from theory.laws.chi_product import chi_product, symmetrised
from theory.laws.chi_square_pair import ChiSquarePair
from theory.points import attack_size, probes, separation
from theory.products import depth, fraction, selection

FORMULAS = points.FORMULAS | matrices.FORMULAS
ON_NUMPY = points.ON_NUMPY | matrices.ON_NUMPY
EXACT = points.EXACT | matrices.EXACT
SEQUENCES = points.SEQUENCES | matrices.UNBOUNDED
DTYPES = {"uint8": 1e-12, "int64": 1e-12, "bool": 1e-12, "float16": 1e-5, "float32": 1e-5, "longdouble": 1e-12}
FOREIGN = {
    "complex": lambda values: values.astype(complex),
    "text": lambda values: values.astype(str),
    "dates": lambda values: values.astype("datetime64[s]"),
    "objects": lambda values: values.astype(str).astype(object),
    "a list": lambda values: values.tolist() if values.ndim else [values.item()],
    "NaN": lambda values: values * np.nan,
    "infinite": lambda values: values + np.inf,
    "empty": lambda values: values[..., None][..., :0],
}
PASSES = {  # all the same: (formula, array, kind)
    *((name, place, kind) for name in points.MISSING for place in range(9) for kind in ("NaN", "empty")),
    *((name, place, "a list") for name, place in SEQUENCES),
    *((name, place, "infinite") for name, place in matrices.UNBOUNDED),
    *((name, 0, "complex") for name in matrices.COMPLEX),
}
exact = np.vectorize(Fraction, otypes=[object])


def parts(value):
    return value if isinstance(value, tuple | list) else (value,)


def flat(value):
    return np.concatenate([np.ravel(np.asarray(part, dtype=complex)).view(float) for part in parts(value)])


def near(found, expected, precision):
    return flat(found) == pytest.approx(expected, rel=precision, abs=precision, nan_ok=True)


def one_line(call):
    with pytest.raises(ValueError, match=r"\A.+\Z"):  # the dot is no line break
        call()


def places(formula):
    """How many arrays a formula converts."""
    given = []
    formula(lambda values: given.append(values) or values.astype(float))
    return len(given)


def only(place, convert):
    """A converter that treats one array in its own way and all others as double precision."""
    count = iter(range(100))
    return lambda values: convert(values) if next(count) == place else values.astype(float)


def takes_arrays(function):
    kinds = [str(parameter.annotation) for parameter in signature(function).parameters.values()]
    return any("Array" in kind or "ndarray" in kind for kind in kinds)


def test_every_public_function_of_arrays_has_a_row():
    ours = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in (*points.MODULES, *matrices.MODULES)
        for name, item in vars(module).items()
        if isfunction(item) and item.__module__ == module.__name__ and not name.startswith("_") and takes_arrays(item)
    }
    others = {"gaussian_spectrum.column_distances", "robust_accuracy.MaskedMargin"}
    assert {name.split(" ")[0] for name in FORMULAS} == ours | others
    assert set(FORMULAS) >= ON_NUMPY | EXACT | {name for name, _, _ in PASSES}


@pytest.mark.parametrize("name", FORMULAS)
@each("dtype", DTYPES)
def test_numpy_computes_in_floating_point(name, dtype):
    formula = FORMULAS[name]
    expected = flat(formula(lambda values: values.astype(dtype).astype(float)))
    found = formula(lambda values: values.astype(dtype))
    assert near(found, expected, DTYPES[dtype])
    dtypes = [np.asarray(part).dtype for part in parts(found)]
    assert all(kind.kind in "fcbi" and kind not in (np.float16, np.longdouble) for kind in dtypes)


@pytest.mark.parametrize("name", FORMULAS)
@each("dtype", ["uint8", "int64", "bool", "float16", "bfloat16", "float32", "float64"])
def test_torch_computes_the_same(name, dtype):
    torch = pytest.importorskip("torch")
    formula, to = FORMULAS[name], getattr(torch, dtype)
    if name in ON_NUMPY:
        one_line(lambda: formula(lambda values: torch.asarray(values).to(to)))
        return
    expected = flat(formula(lambda values: torch.asarray(values).to(to).double().numpy()))
    found = formula(lambda values: torch.asarray(values).to(to))
    assert near(found, expected, 1e-5 if "float" in dtype and dtype != "float64" else 1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("name", sorted(points.FORMULAS.keys() - ON_NUMPY))
def test_the_strict_array_api_computes_the_same(name, dtype):
    strict = pytest.importorskip("array_api_strict")
    formula = FORMULAS[name]
    expected = flat(formula(lambda values: values.astype(float)))
    found = formula(lambda values: strict.asarray(values.astype(dtype)))
    assert near(found, expected, 1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_fractions_stay_exact_where_it_is_promised(name):
    formula = FORMULAS[name]
    if name not in EXACT:
        one_line(lambda: formula(exact))
        return
    found = formula(exact)
    entries = [entry for part in parts(found) for entry in np.ravel(part)]
    assert all(isinstance(entry, Fraction | int | np.bool_) for entry in entries)
    expected = flat(formula(lambda values: values.astype(float)))
    assert near(found, expected, 1e-12)
    for place in range(places(formula) if places(formula) > 1 else 0):  # among floats they become floats
        mixed = formula(only(place, exact))
        assert all(np.asarray(part).dtype != object for part in parts(mixed))
        assert near(mixed, expected, 1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_arrays_of_two_precisions_meet_and_those_of_two_libraries_do_not(name):
    torch = pytest.importorskip("torch")
    formula = FORMULAS[name]
    expected = flat(formula(lambda values: values.astype(float)))
    for place in range(places(formula)):
        if places(formula) > 1:
            one_line(lambda place=place: formula(only(place, torch.asarray)))
        for narrow in ("float32", "float16", "uint8"):
            found = formula(only(place, lambda values, narrow=narrow: values.astype(narrow)))
            assert near(found, expected, 1e-5)
            if name not in ON_NUMPY:
                to = only(place, lambda values, narrow=narrow: torch.asarray(values).to(getattr(torch, narrow)))
                assert near(formula(lambda values, to=to: torch.as_tensor(to(values))), expected, 1e-5)


@pytest.mark.parametrize("name", FORMULAS)
@each("kind", FOREIGN)
def test_what_is_no_number_is_refused_in_one_line(name, kind):
    formula = FORMULAS[name]
    for place in range(places(formula)):
        if (name, place, kind) not in PASSES:
            one_line(lambda place=place: formula(only(place, FOREIGN[kind])))
        elif kind == "complex":
            found = formula(only(place, FOREIGN[kind]))
            assert near(found, flat(formula(lambda values: values.astype(float))), 1e-12)


def test_the_smallest_and_the_largest_numbers_of_two_dtypes_are_not_lost():
    """Single precision ends at 3.4e38: what is converted down overflows."""
    wide, narrow = np.array([1e300, 1.0]), np.ones(2, np.float32)
    assert condition_numbers.relative_growth(np.eye(2, dtype=np.float32), narrow, wide) == pytest.approx(1e300 / 2**0.5)


LAWS = {
    "fraction": fraction.fraction_law(3, (4, 5)),
    "chi product": chi_product((2, 3)),
    "symmetrised": symmetrised(chi_product((2,))),
    "tabulated": universality.norm_law(3, "uniform"),
    "column": attack_size.column_law(3, 4),
    "pair": ChiSquarePair(2, 1.0, 3.0),
    "selected by fraction": selection.selected_by_fraction(4, 0.5),
    "selected by last": selection.selected_by_last(4, 0.5),
    "smallest": gaussian_spectrum.smallest_singular_law(3),
    "condition": TwoColumnCondition(3),
}
OF_POINTS = {
    **{
        f"{name}.{method}": getattr(law, method)
        for name, law in LAWS.items()
        for method in ("cdf", "sf", "pdf", "ppf", "isf", "interval")
    },
    "separation.log_norm_probability": lambda x: separation.log_norm_probability(3, x),
    "separation.log_chernoff_bound": lambda x: separation.log_chernoff_bound(3, x),
    "depth.edgeworth_cdf": lambda x: depth.edgeworth_cdf(x, (2, 3)),
    "universality.last_expansion": lambda x: universality.last_expansion(3, 4, "uniform", x),
}


@pytest.mark.parametrize("name", OF_POINTS)
def test_laws_take_real_points_in_every_dtype(name):
    function, inside = OF_POINTS[name], np.array([[0.25, 0.5], [0.75, 1.0]])
    expected = flat(function(inside))
    forms = (inside.tolist(), exact(inside), inside.astype(np.float16), inside.astype(np.longdouble))
    assert all(near(function(form), expected, 1e-12) for form in forms)
    assert near(function(np.ones(2, np.uint8)), flat(function(np.ones(2))), 1e-12)
    for wrong in (inside.astype(complex), inside.astype(str), inside.astype("datetime64[s]"), "0.5", 1j, None):
        one_line(lambda wrong=wrong: function(wrong))


LABELLED = {
    "class_distances": lambda label: probes.class_distances(1.0 * points.A, 1.0 * points.A, label),
    "untargeted_distance": lambda label: probes.untargeted_distance(1.0 * points.A, 1.0 * points.A, label),
    "worst_margin": lambda label: probes.worst_margin(1.0 * points.A, 1.0 * points.A, label, 0.5),
    "sign_step": lambda label: probes.sign_step(1.0 * points.A, 1.0 * points.A, label, 0.5),
}


@pytest.mark.parametrize("name", LABELLED)
def test_labels_are_integers_one_for_each_point(name):
    of, torch = LABELLED[name], pytest.importorskip("torch")
    labels = np.array([2, 0, 1])
    expected = of(labels)
    for dtype in ("uint8", "int8", "int32", "uint64"):
        assert np.array_equal(of(labels.astype(dtype)), expected)
    assert np.array_equal(of(np.int16(1))[1], of(1)[1])
    wrong = [labels.astype(float), labels.astype(bool), labels.astype(complex), labels.astype(object), [2, 0, 1]]
    wrong += [labels + 1, labels - 1, labels[:2], labels[:, None], torch.tensor([2, 0, 1]), True, 1.0, "1", None, -1, 3]
    for label in wrong:
        one_line(lambda label=label: of(label))
