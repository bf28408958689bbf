"""The GPU backend against the CPU reference; where there is no GPU only that it says so."""

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from fragility.backends import cupy_backend, numpy_backend
from fragility.testing import assert_agrees
from simulate.samplers import triangular

REASON = cupy_backend.unavailable()
CPU = numpy_backend.BACKEND
KEY = 2**127 + 12345

gpu = pytest.mark.skipif(REASON is not None, reason=REASON or "")


@pytest.fixture
def backend():
    return cupy_backend.BACKEND


def gaussian(shape, size):
    stream = CPU.stream(KEY, 0)
    return [stream.normal(size, height, width) for width, height in pairwise(shape)]


def on_device(backend, factors):
    return [backend.xp.asarray(factor) for factor in factors]


def close(R, reference, tolerance=1e-9):
    """Diagonal to `tolerance`, entries above it against the norm of their column, exact zeros below."""
    assert R.shape == reference.shape
    assert not np.tril(R, -1).any()
    diagonal, expected = (np.diagonal(A, axis1=1, axis2=2) for A in (R, reference))
    np.testing.assert_allclose(diagonal, expected, rtol=tolerance)
    assert np.all(np.abs(R - reference) <= tolerance * np.linalg.norm(reference, axis=1, keepdims=True))


def test_says_in_one_line_what_is_missing():
    assert REASON is None or (REASON.startswith("CuPy ") and "\n" not in REASON)


def test_importing_loads_no_cupy():
    code = "import sys, fragility.backends.cupy_backend; sys.exit('cupy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.getcwd()}).returncode == 0


def test_has_no_other_attribute():
    with pytest.raises(AttributeError, match="nothing"):
        cupy_backend.nothing  # noqa: B018


@gpu
class TestStream:
    def test_philox_gives_the_published_words(self, backend):
        """Known answers of Random123, kat_vectors, philox4x32 10."""
        from fragility.backends._cupy_random import philox

        ones, pi = 0xFFFFFFFF, (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
        counters = backend.xp.asarray([[0] * 4, [ones] * 4, pi], dtype=np.uint32)
        keys = backend.xp.asarray([[0] * 2, [ones] * 2, (0xA4093822, 0x299F31D0)], dtype=np.uint32)
        expected = [
            [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8],
            [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ]
        np.testing.assert_array_equal(backend.numpy(philox(counters, keys)), expected)

    def test_is_decided_by_its_coordinates(self, backend):
        first, again = (backend.numpy(backend.stream(KEY, 3).normal(101)) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        prefix = backend.numpy(backend.stream(KEY, 3).normal(50))
        np.testing.assert_array_equal(first[:50], prefix)

    def test_never_repeats_itself(self, backend):
        stream = backend.stream(KEY, 3)
        others = [stream.normal(1000), stream.normal(1000), stream.chi(1, 1000)]
        coordinates = [(KEY, 4), (KEY, 2**63), (KEY + 1, 3), (KEY - 2**127, 3), (2**128 - 1, 2**64 - 1)]
        others += [backend.stream(*pair).normal(1000) for pair in coordinates]
        drawn = np.abs(np.concatenate([backend.numpy(other) for other in others]))
        assert np.unique(drawn).size == drawn.size

    def test_empty_and_zero(self, backend):
        assert backend.stream(KEY, 0).normal(0, 3).shape == (0, 3)
        assert not backend.numpy(backend.stream(KEY, 0).chi(0, 7)).any()

    def test_normal_has_its_law(self, backend):
        x = backend.numpy(backend.stream(KEY, 1).normal(1 << 18, 4)).ravel()
        assert_agrees(x, stats.norm, tolerance=0.005, decoys=[stats.norm(0, 1.03), stats.t(20)])

    def test_neighbours_are_independent(self, backend):
        """Both normals of a Philox block: the angle of the pair is uniform, its square radius exponential."""
        x, y = backend.numpy(backend.stream(KEY, 2).normal(1 << 19, 2)).T
        angle, energy = np.arctan2(y, x) / (2 * np.pi) + 0.5, (x**2 + y**2) / 2
        assert_agrees(angle, stats.uniform, tolerance=0.01, decoys=[stats.beta(1.1, 1)])
        assert_agrees(energy, stats.expon, tolerance=0.01, decoys={"a dimension more": stats.gamma(1.5)})

    @pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 1000, 10**6])
    def test_chi_has_its_law(self, backend, degrees):
        x = backend.numpy(backend.stream(KEY, degrees).chi(degrees, 1 << 18))
        decoys = {"a degree of freedom more": stats.chi(degrees + 1)}
        assert_agrees(x, stats.chi(degrees), tolerance=0.008, decoys=decoys)

    @pytest.mark.parametrize("degrees", [1, 2, 3, 1000, 10**6])
    def test_chi_has_its_first_two_moments(self, backend, degrees):
        size, deviations = 1 << 20, 5.5  # two-sided 4e-8 for each of 10 means: 4e-7 together
        chi = backend.numpy(backend.stream(KEY + 1, degrees).chi(degrees, size))
        law = stats.chi(degrees)
        assert abs(chi.mean() - law.mean()) <= deviations * law.std() / size**0.5
        assert abs((chi**2).mean() - degrees) <= deviations * (2 * degrees / size) ** 0.5


@gpu
class TestChains:
    @pytest.mark.parametrize("n", [2, 3, 8, 31, 32, 33, 64, 70, 71, 100, 129, 256, 515])
    @pytest.mark.parametrize("layers", [1, 2, 5])
    def test_square_factors(self, backend, n, layers):
        factors = gaussian((n,) * (layers + 1), max(2, 200 // n))
        device = on_device(backend, factors)
        close(backend.numpy(backend.qr_chain(device)), CPU.qr_chain(factors))
        close(backend.numpy(backend.lu_chain(device)), CPU.lu_chain(factors))

    @pytest.mark.parametrize("n", [1030, 2050])
    def test_panels_with_several_rows_to_a_thread(self, backend, n):
        factors = gaussian((n, n), 2)
        close(backend.numpy(backend.lu_chain(on_device(backend, factors))), CPU.lu_chain(factors))

    @pytest.mark.parametrize("shape", [(1, 1, 1), (1, 4), (4, 6, 5), (20, 20, 50), (5, 90, 70), (40, 70, 41, 90)])
    def test_rectangular_factors(self, backend, shape):
        factors = gaussian(shape, 9)
        close(backend.numpy(backend.qr_chain(on_device(backend, factors))), CPU.qr_chain(factors))

    def test_a_deep_product(self, backend):
        """Beyond twelve layers the explicit product has lost every digit of r_nn."""
        factors = gaussian((100,) * 21, 2)
        device = on_device(backend, factors)
        close(backend.numpy(backend.qr_chain(device)), CPU.qr_chain(factors))
        close(backend.numpy(backend.lu_chain(device)), CPU.lu_chain(factors))

    @pytest.mark.parametrize(("gap", "tolerance"), [(1e-3, 1e-8), (1e-5, 1e-6)])
    def test_ill_conditioned_draws(self, backend, gap, tolerance):
        """The last column nearly in the span of the others: r_nn is `gap` times what it was, and so are its digits."""
        (factor,) = gaussian((80, 80), 5)
        q = np.linalg.qr(factor)[0][:, :, -1]
        factor[:, :, -1] -= (1 - gap) * np.einsum("di,di->d", q, factor[:, :, -1])[:, None] * q
        device = on_device(backend, [factor])
        close(backend.numpy(backend.qr_chain(device)), CPU.qr_chain([factor]), tolerance)
        close(backend.numpy(backend.lu_chain(device)), CPU.lu_chain([factor]), tolerance)

    def test_leaves_the_factors_alone(self, backend):
        factors = gaussian((90,) * 3, 4)
        device = on_device(backend, factors)
        backend.qr_chain(device)
        backend.lu_chain(device)
        for factor, after in zip(factors, device, strict=True):
            np.testing.assert_array_equal(factor, backend.numpy(after))

    def test_works_through_a_world_that_does_not_fit(self, backend, monkeypatch):
        from fragility.backends import _cupy_batch

        factors = gaussian((20,) * 3, 40)
        device = on_device(backend, factors)
        for free in (1 << 17, 1):
            monkeypatch.setattr(_cupy_batch, "free_bytes", lambda free=free: free)
            close(backend.numpy(backend.qr_chain(device)), CPU.qr_chain(factors))
            close(backend.numpy(backend.lu_chain(device)), CPU.lu_chain(factors))


@gpu
@pytest.mark.parametrize(("n", "layers"), [(2, 1), (2, 3), (3, 2), (50, 3)])
def test_the_direct_sampler_runs(backend, n, layers):
    rows = (n + 1,) * layers
    world = triangular.draw(backend.stream(KEY, 0), 1000, n, rows)
    measured = triangular.measure(backend, world, n, rows)
    host = [type(layer)(*(None if part is None else backend.numpy(part) for part in layer)) for layer in world]
    for name, expected in triangular.measure(CPU, host, n, rows).items():
        np.testing.assert_allclose(backend.numpy(measured[name]), expected, rtol=1e-12)
