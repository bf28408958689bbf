"""The study against the explicit product, and what cannot be seen in R."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from fragility.backends.numpy_backend import BACKEND
from fragility.engine.records import raw_table
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, needed
from fragility.testing import assert_agrees
from simulate.qr_product import STUDY, draw, measure_pair, measure_product, measure_trailing, measure_whole, points
from theory.claims import BOOK
from theory.products.qr_product import factor_laws


def world(n, rows, size=5, seed=0):
    return draw(BACKEND.stream(seed, 0), size, n, rows)


def reference(factors):
    """R of the explicit product with positive diagonal, one draw after another."""
    product = factors[0]
    for factor in factors[1:]:
        product = factor @ product
    R = np.linalg.qr(product, mode="r")
    return R * np.sign(np.diagonal(R, axis1=1, axis2=2))[:, :, None]


@pytest.mark.parametrize(("n", "rows"), [(5, (5,)), (6, (6, 6)), (3, (7, 4)), (2, (2, 2, 2))])
def test_the_numbers_are_those_of_the_explicit_product(n, rows):
    factors = world(n, rows)
    R = reference(factors)
    found = measure_whole(BACKEND, factors, n, rows)
    expected = {
        "diagonal": np.diagonal(R, axis1=1, axis2=2),
        "row_power": np.stack([np.mean(R[:, k, k + 1 :] ** 2, axis=1) for k in range(n - 1)], axis=1),
        "last": R[:, -1, -1],
        "stretch": np.linalg.norm(R[:, -2:, -2:] @ [1, -1], axis=1) / math.sqrt(2),
        "determinant": R[:, -1, -1] * R[:, -2, -2],
        "corner": np.abs(R[:, -2, -1]),
        "column_norm": np.linalg.norm(R[:, :, -1], axis=1),
        "fraction": R[:, -1, -1] / np.linalg.norm(R[:, :, -1], axis=1),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, err_msg=name)


def test_both_chains_measure_the_same_world_alike():
    n, rows = 20, (20,) * 6
    factors = world(n, rows)
    whole, trailing = measure_whole(BACKEND, factors, n, rows), measure_trailing(BACKEND, factors, n, rows)
    for name, value in trailing.items():
        np.testing.assert_allclose(value, whole[name], rtol=1e-10, err_msg=name)


@pytest.mark.parametrize(("n", "rows"), [(4, (4,)), (3, (7, 4)), (4, (6, 2)), (5, (2, 9)), (6, (3, 3, 5)), (2, (1,))])
def test_of_the_explicit_product_as_many_rows_are_kept_as_its_rank(n, rows):
    found = measure_product(BACKEND, world(n, rows), n, rows)
    factors = world(n, rows)
    for draw_index in range(5):
        product = factors[0][draw_index]
        for factor in factors[1:]:
            product = factor[draw_index] @ product
        rank = np.linalg.matrix_rank(product)
        Q, R = np.linalg.qr(product)
        signs = np.sign(np.diag(R))
        diagonal = np.abs(np.diag(R))[:rank]
        np.testing.assert_allclose(found["diagonal"][draw_index], diagonal, rtol=1e-9)
        assert np.all(np.abs(R[rank:]) < 1e-9 * diagonal[0])
        direction = (Q * signs)[-1, :rank] @ diagonal / np.linalg.norm(diagonal)
        assert found["direction"][draw_index] == pytest.approx(abs(direction), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(("n", "rows"), [(1, (3,)), (4, (4,)), (3, (7, 4)), (2, (2, 2, 2))])
def test_the_factors_of_r_multiply_to_it(n, rows):
    size = 5
    factors = world(n, rows, 2 * size)
    entries = measure_pair(BACKEND, factors, n, rows)["factors"].reshape(size, 2, len(rows), -1)
    layers = np.zeros((size, 2, len(rows), n, n))
    layers[(..., *np.triu_indices(n))] = entries
    assert np.all(np.diagonal(layers, axis1=-2, axis2=-1) > 0)
    R = reference(factors)
    for product, expected in ((0, R[:size]), (1, R[size:])):
        found = np.eye(n)
        for layer in range(len(rows)):
            found = layers[:, product, layer] @ found
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def sharing_sizes(rng, size, laws):
    """Entries of their laws that share the size of their normal score two by two and differ in sign: uncorrelated."""
    scores = rng.standard_normal((size, len(laws)))
    scores[:, 1::2] = np.abs(scores[:, ::2]) * rng.choice((-1, 1), size=scores[:, ::2].shape)
    return np.stack([law.ppf(ndtr(scores[:, k])) for k, law in enumerate(laws)], axis=1)


def test_dependence_without_correlation_is_seen_by_the_joint_claim_alone(error_rate):
    """Among the diagonal entries and among all others two by two, at the draws that each claim asks for."""
    n, rows = 8, (8,)
    claims = {claim.id: claim for claim in BOOK}
    on_diagonal = np.equal(*np.triu_indices(n))
    laws, rng = np.array(factor_laws(n, rows), dtype=object), np.random.default_rng(4)

    def outcome(name):
        claim, point = claims[name], {"n": n, "rows": rows}
        size = needed(claim, point, error_rate)
        entries = np.empty((2 * size, len(laws)))
        for where in (on_diagonal, ~on_diagonal):
            entries[:, where] = sharing_sizes(rng, 2 * size, laws[where])
        pairs, diagonal = np.concatenate(np.split(entries, 2), axis=1), entries[:size, on_diagonal]
        evidence = Evidence([raw_table({"factors": pairs, "diagonal": diagonal})])
        return judge(claim, point, "dependent", evidence, error_rate).outcome

    assert outcome("fc.lemma3.diagonal") == "agrees"
    assert outcome("fc.lemma3.independence") == "agrees"
    assert outcome("fc.lemma3.joint") == "disagrees"


def test_a_basis_that_is_not_uniform_shows_although_its_entries_do_not():
    """The last row of Q is made positive: the moduli of its entries keep their law, uniform in three dimensions."""
    size, n = 4000, 3
    Q = np.linalg.qr(BACKEND.stream(5, 0).normal(size, n, n))[0]
    Q *= np.sign(Q[:, -1:])
    R = np.triu(BACKEND.stream(6, 0).normal(size, n, n), 1) + np.eye(n)
    assert np.mean(np.abs(Q[:, -1, 0])) == pytest.approx(0.5, abs=0.03)
    assert np.mean(measure_product(BACKEND, (Q @ R,), n, (n,))["direction"]) > 0.7


@pytest.mark.parametrize(
    ("method", "n", "rows", "line"),
    [
        ("qr", 5, (4, 6), "--rows must be heights of at least n = 5, got 4,6: below n the product has no full column"),
        ("direct", 5, (4,), "R is trapezoidal; its leading block follows the same lemma with --n 4"),
        ("lu", 5, (4,), "the LU chain needs square factors"),
        ("product", 8, (8,) * 7, "the product of 7 factors is too badly conditioned to be formed"),
        ("pair", 5, (4, 6), "--rows must be heights of at least n = 5, got 4,6"),
        ("pair", 33, (33,), "recorded whole for at most 32 columns, got 33: --method qr has R"),
        ("product", 200, (200,), "Q is formed for at most 128 columns, got 200: --method qr has R"),
    ],
)
def test_a_method_says_where_it_cannot_be_used(method, n, rows, line):
    assert line in STUDY.methods[method].obstacle(n=n, rows=rows)


@pytest.mark.parametrize("name", STUDY.methods)
def test_methods_measure_what_they_announce(name):
    method, point = STUDY.methods[name], {"n": 4, "rows": (4, 4)}
    measured = method.measure(BACKEND, method.draw(BACKEND.stream(1, 0), 7, **point), **point)
    assert set(measured) == set(method.statistics(**point))
    assert all(len(value) == 7 for value in measured.values())


def test_the_order_of_the_factors_cannot_be_seen():
    """Weak commutation: H_2 H_1 with heights (4, 9) and with (9, 4) have an R of the same law, jointly."""
    size, n = 20_000, 3
    samples = []
    for seed, rows in enumerate(((4, 9), (9, 4), (4, 4))):
        R = measure_whole(BACKEND, world(n, rows, size, seed=2 + seed), n, rows)
        samples.append(R["corner"] * R["stretch"] / R["diagonal"][:, 0] + R["fraction"])
    first, second, wrong = samples
    assert_agrees(first, second, tolerance=0.04, decoys={"heights 4 and 4": wrong})


def test_square_layers_are_the_default():
    assert points([3], None, None) == [{"n": 3, "rows": (3, 3)}]
    assert points([3], [1], None) == [{"n": 3, "rows": (3,)}]
    assert points([3], None, [(3, 4), (2,)]) == [{"n": 3, "rows": (3, 4)}, {"n": 3, "rows": (2,)}]
