"""What every study owes the engine: methods that measure what they announce, the same on every backend."""

import numpy as np
import pytest

from fragility.backends import cupy_backend, numba_backend, numpy_backend
from fragility.engine.room import studies
from fragility.engine.shard import find_study

BACKEND = numpy_backend.BACKEND
DRAWS = 3
CASES = [
    pytest.param(method, point, id=f"{study.name} {name} {point}")
    for study in map(find_study, studies("simulate"))
    for name, method in study.methods.items()
    for point in study.table
    if method.obstacle(**point) is None
]


@pytest.fixture(params=["numba", "cupy"])
def other(request):
    if request.param == "cupy":
        if reason := cupy_backend.unavailable():
            pytest.skip(reason)
        return cupy_backend.BACKEND
    return numba_backend.BACKEND


def moved(world, backend):
    """The world with its arrays where the backend has them."""
    if isinstance(world, np.ndarray):
        return backend.xp.asarray(world)
    if isinstance(world, tuple) and hasattr(world, "_fields"):
        return type(world)(*(moved(part, backend) for part in world))
    if isinstance(world, (list, tuple)):
        return type(world)(moved(part, backend) for part in world)
    return world


@pytest.mark.parametrize(("method", "point"), CASES)
class TestMethod:
    def test_it_measures_what_it_announces(self, method, point):
        measured = method.measure(BACKEND, method.draw(BACKEND.stream(1, 0), DRAWS, **point), **point)
        assert set(measured) == set(method.statistics(**point))
        assert all(len(value) == DRAWS for value in measured.values())

    def test_backends_agree_on_the_same_world(self, method, point, other):
        drawn = method.draw(BACKEND.stream(1, 0), DRAWS, **point)
        measured = method.measure(BACKEND, drawn, **point)
        again = method.measure(other, moved(drawn, other), **point)
        for statistic, value in measured.items():
            np.testing.assert_allclose(other.numpy(again[statistic]), value, rtol=1e-9, atol=1e-11, err_msg=statistic)
