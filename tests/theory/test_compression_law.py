"""The share of a vector in its last k coordinates after triangular factors: closed forms, oracles, chains."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma

from fragility.testing import assert_agrees
from theory.products.fraction import compression_law, fraction_law


@pytest.mark.parametrize(("n", "height", "kept"), [(8, 8, 2), (12, 16, 2), (9, 9, 5), (16, 16, 15)])
def test_compression_of_one_factor_to_several_coordinates(n, height, kept):
    law, square_law = compression_law(n, (height,), kept), stats.beta((height - n + kept) / 2, (n - kept) / 2)
    x = np.array([0.05, 0.2, 0.5, 0.8, 0.95])
    np.testing.assert_allclose(law.cdf(x), square_law.cdf(x**2), rtol=1e-10)
    np.testing.assert_allclose(law.sf(x), square_law.sf(x**2), rtol=1e-10)


@pytest.mark.parametrize(("d", "square"), [(8, 0.0725421355), (16, 0.0172601245), (64, 0.0010060403)])
def test_compression_of_two_square_factors_to_two_coordinates(d, square):
    assert compression_law(d, (d, d), 2).moment(2) == pytest.approx(square, abs=6e-11)


@pytest.mark.parametrize(("n", "rows", "kept"), [(5, (5, 7), 2), (6, (6, 6, 6), 3), (20, (20, 31, 22), 19)])
def test_compression_agrees_with_a_chain_of_triangular_blocks(n, rows, kept):
    """Last coordinates of R_L ... R_1 v, block by block; and the exact mean of the logarithm."""
    samples, rng = 20_000, np.random.default_rng(4)
    kept_part, rest = np.zeros((samples, kept)), np.zeros((samples, n - kept))
    kept_part[:, 0] = 1
    for height in rows:
        R = np.triu(rng.standard_normal((samples, n, n)), 1)
        for k in range(n):
            R[:, k, k] = np.sqrt(rng.chisquare(height - k, samples))
        image = np.einsum("sij,sj->si", R, np.concatenate([rest, kept_part], axis=1))
        rest, kept_part = image[:, : n - kept], image[:, n - kept :]
    ratio = np.linalg.norm(kept_part, axis=1) / np.hypot(*(np.linalg.norm(part, axis=1) for part in (kept_part, rest)))
    law = compression_law(n, rows, kept)
    decoys = {
        "a coordinate fewer": compression_law(n, rows, kept - 1),
        "a layer fewer": compression_law(n, rows[:-1], kept),
    }
    assert_agrees(ratio, law, tolerance=0.04, decoys=decoys)
    expected = sum(digamma((height - n + kept) / 2) - digamma(height / 2) for height in rows) / 2
    assert law.log_mean() == pytest.approx(expected, rel=1e-12)


def test_compression_to_one_coordinate_is_the_fraction():
    assert compression_law(7, (9, 8), 1) == fraction_law(7, (9, 8))


@pytest.mark.parametrize(
    ("n", "rows", "kept", "says"),
    [
        (4, (4,), 4, "kept must be below n = 4, got 4: with nothing left out the ratio is 1"),
        (4, (4,), 0, "kept must be at least 1, got 0"),
        (1, (4,), 1, "n must be at least 2, got 1"),
        (5, (6, 4), 3, "every height must be at least n = 5, got 4"),
        (5, (), 3, "rows must hold 1 or more integers, got 0"),
    ],
)
def test_bad_compressions(n, rows, kept, says):
    with pytest.raises(ValueError, match=says):
        compression_law(n, rows, kept)


@pytest.mark.parametrize(("d", "square"), [(8, 0.0186969306), (16, 0.0043505655), (64, 0.0002516362)])
def test_squared_fraction_of_two_square_factors(d, square):
    assert fraction_law(d, (d, d)).moment(2) == pytest.approx(square, abs=6e-11)


@pytest.mark.parametrize(("m", "median"), [(4, 0.4039727533), (8, 0.2595732518), (64, 0.0851603715)])
def test_median_fraction_of_one_square_factor(m, median):
    assert fraction_law(m, (m,)).median() == pytest.approx(median, abs=6e-11)
