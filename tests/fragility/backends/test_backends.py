"""Both CPU backends: streams decided by coordinates, and chains that find R of a product without forming it."""

import math
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from fragility.backends import _block_lu, numba_backend, numpy_backend
from fragility.testing import assert_agrees

BACKENDS = [numpy_backend.BACKEND, numba_backend.BACKEND]
KEY = 2**127 + 12345
SQUARE = [
    (2, 1),
    (2, 3),
    (3, 2),
    (8, 1),
    (8, 5),
    (8, 20),
    (16, 3),
    (17, 3),
    (40, 2),
    (41, 20),
    (64, 5),
    (100, 20),
    (130, 3),
    (256, 2),
    (270, 20),
]
RECTANGULAR = [(1, 1, 1), (4, 6, 5), (6, 9, 7, 12), (20, 20, 50), (5, 90, 70), (64, 64, 128)]


@pytest.fixture(autouse=True, scope="module")
def one_blas_thread():
    """As the engine runs the backends; BLAS threads that share a core wait for each other by spinning."""
    with threadpool_limits(1):
        yield


def gaussian(shape, size, seed=0):
    stream = numpy_backend.BACKEND.stream(KEY, seed)
    return [stream.normal(size, height, width) for width, height in pairwise(shape)]


def r_of_product(factors):
    """The reference for few layers: form the product, factor it, turn the signs."""
    R = np.linalg.qr(reduce(lambda product, factor: factor @ product, factors), mode="r")
    return R * np.sign(np.diagonal(R, axis1=1, axis2=2))[:, :, None]


def close(R, reference, tolerance=1e-10):
    """Diagonal to `tolerance`, each entry above it against the norm of its column: it may be as small as it likes."""
    assert R.shape == reference.shape
    assert not np.tril(R, -1).any()
    diagonal, expected = (np.diagonal(A, axis1=1, axis2=2) for A in (R, reference))
    np.testing.assert_allclose(diagonal, expected, rtol=tolerance)
    assert np.all(np.abs(R - reference) <= tolerance * np.linalg.norm(reference, axis=1, keepdims=True))


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
class TestStream:
    def test_is_decided_by_key_and_index(self, backend):
        first, again = backend.stream(KEY, 3).normal(100), backend.stream(KEY, 3).normal(100)
        np.testing.assert_array_equal(first, again)
        for other in (backend.stream(KEY, 4), backend.stream(KEY + 1, 3), backend.stream(KEY - 2**127, 3)):
            assert not np.isin(first, other.normal(100)).any()

    def test_has_prefixes(self, backend):
        long, short = backend.stream(KEY, 0), backend.stream(KEY, 0)
        np.testing.assert_array_equal(long.normal(7, 5)[:4], short.normal(4, 5))

    def test_reaches_the_last_shard_and_the_last_key(self, backend):
        assert np.isfinite(backend.stream(2**128 - 1, 2**64 - 1).normal(10)).all()

    @pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 1000, 10**6])
    def test_chi_has_its_first_two_moments(self, backend, degrees):
        size, deviations = 1 << 16, 5.5  # two-sided 4e-8 for each of 28 means: 1e-6 together
        chi = backend.stream(KEY, degrees).chi(degrees, size)
        mean = math.sqrt(2) * math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
        assert abs(chi.mean() - mean) < deviations * math.sqrt(max(degrees - mean**2, 0.3) / size)
        assert abs((chi**2).mean() - degrees) < deviations * math.sqrt(2 * degrees / size)

    def test_chi_without_degrees_is_zero(self, backend):
        np.testing.assert_array_equal(backend.stream(KEY, 0).chi(0, 3, 2), np.zeros((3, 2)))


def test_streams_are_the_same_bit_for_bit():
    streams = [backend.stream(KEY, 2) for backend in BACKENDS]
    for _ in range(3):
        for degrees in (0, 1, 2, 3, 5, 100, 10**6):
            first, second = (stream.chi(degrees, 11, 101) for stream in streams)
            np.testing.assert_array_equal(first, second)
        for numbers in ("normal", "uniform"):
            first, second = (getattr(stream, numbers)(3, 20011) for stream in streams)
            np.testing.assert_array_equal(first, second)


def test_streams_agree_in_the_tail_of_the_ziggurat():
    first, second = (backend.stream(KEY, 9).normal(1 << 20) for backend in BACKENDS)
    assert np.abs(first).max() > 4.5
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
class TestChains:
    @pytest.mark.parametrize("n", [1, 2, 3, 8, 16, 33, 48])
    @pytest.mark.parametrize("layers", [1, 2])
    def test_qr_chain_is_qr_of_the_product(self, backend, n, layers):
        factors = gaussian((n,) * (layers + 1), 10)
        close(backend.qr_chain(factors), r_of_product(factors))

    @pytest.mark.parametrize("shape", RECTANGULAR, ids=str)
    def test_qr_chain_takes_rectangular_factors(self, backend, shape):
        factors = gaussian(shape, 5)
        close(backend.qr_chain(factors), r_of_product(factors))

    @pytest.mark.parametrize(("n", "layers"), SQUARE)
    def test_lu_chain_is_the_trailing_block_of_the_qr_chain(self, backend, n, layers):
        factors = gaussian((n,) * (layers + 1), 10, seed=n + layers)
        close(backend.lu_chain(factors), backend.qr_chain(factors)[:, -2:, -2:])

    @pytest.mark.parametrize("size", [1, 64, 65, 513])
    def test_any_number_of_draws_will_do(self, backend, size):
        factors = gaussian((4, 4, 4), size)
        close(backend.lu_chain(factors), backend.qr_chain(factors)[:, -2:, -2:])
        np.testing.assert_array_equal(
            backend.qr_chain([factor[:1] for factor in factors]), backend.qr_chain(factors)[:1]
        )

    @pytest.mark.parametrize("n", [5, 30, 90, 260])
    def test_the_world_is_left_as_it_was(self, backend, n):
        factors = gaussian((n, n, n), 3)
        before = [factor.copy() for factor in factors]
        backend.qr_chain(factors)
        backend.lu_chain(factors)
        np.testing.assert_array_equal(factors, before)

    @pytest.mark.parametrize("n", [8, 50, 130, 260])
    def test_threads_do_not_disturb_each_other(self, backend, n):
        factors = gaussian((n, n, n), 8)
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda _: (backend.qr_chain(factors), backend.lu_chain(factors)), range(8)))
        for R, block in results[1:]:
            np.testing.assert_array_equal(R, results[0][0])
            np.testing.assert_array_equal(block, results[0][1])


@pytest.mark.parametrize(("n", "layers"), SQUARE)
def test_backends_agree_on_the_same_world(n, layers):
    factors = gaussian((n,) * (layers + 1), 10, seed=n * layers)
    close(*(backend.qr_chain(factors) for backend in BACKENDS))
    close(*(backend.lu_chain(factors) for backend in BACKENDS))


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 31, 32, 33, 41, 64, 100])
def test_blocks_of_every_shape_solve(n):
    """Whole and broken panels and blocks, and matrices that ask for an interchange in every column."""
    (H,) = gaussian((n, n), 5, seed=n)
    H[3:] = np.eye(n)[np.roll(np.arange(n), n // 2)] + 1e-3 * H[3:]
    x = gaussian((n, 5), 2, seed=n + 1)[0]
    X = x.copy()
    _block_lu.solve(H, X)
    residual = np.einsum("dij,cdi->cdj", H, X) - x
    assert np.all(np.abs(residual) <= 1e-13 * n * np.linalg.norm(H, axis=(1, 2))[None, :, None] * np.abs(X).max())


@pytest.mark.parametrize("layers", [12, 16, 20])
def test_the_product_loses_what_the_chains_keep(layers):
    """At n = 100 the product in float64 keeps no digit of r_nn, and always errs upwards."""
    factors = gaussian((100,) * (layers + 1), 8, seed=layers)
    lost = r_of_product(factors)[:, -1, -1]
    for backend in BACKENDS:
        qr, lu = backend.qr_chain(factors)[:, -1, -1], backend.lu_chain(factors)[:, -1, -1]
        np.testing.assert_allclose(qr, lu, rtol=1e-10)
        assert np.median(np.abs(lost / qr - 1.0)) > (0.01 if layers == 12 else 1.0)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_last_entry_against_extended_precision(backend):
    """Bareiss' elimination of exact integer products: r_nn = |det H| / volume of the first n - 1 columns."""
    n, layers = 6, 20
    factors = [np.rint(64 * factor) for factor in gaussian((n,) * (layers + 1), 5)]
    exact = []
    for draw in range(5):
        H = reduce(
            lambda product, factor: factor @ product, [factor[draw].astype(int).astype(object) for factor in factors]
        )
        gram = H.T @ H
        exact.append(math.exp(0.5 * (log_determinant(gram) - log_determinant(gram[:-1, :-1]))))
    for R in (backend.qr_chain(factors), backend.lu_chain(factors)):
        np.testing.assert_allclose(R[:, -1, -1], exact, rtol=1e-11)


def log_determinant(A):
    """ln det of a positive definite matrix of Python integers, without a rounding before the logarithm."""
    A, previous = [list(row) for row in A], 1
    for k in range(len(A) - 1):
        for i in range(k + 1, len(A)):
            for j in range(k + 1, len(A)):
                A[i][j] = (A[i][j] * A[k][k] - A[i][k] * A[k][j]) // previous
        previous = A[k][k]
    return math.log(A[-1][-1])


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_normals_are_normal(backend):
    decoys = [stats.norm(0, 1.1), stats.t(5)]
    assert_agrees(backend.stream(KEY, 77).normal(1 << 17), stats.norm, tolerance=0.015, decoys=decoys)
