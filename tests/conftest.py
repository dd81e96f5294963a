"""For all tests: kernels compiled by the tests stay out of the user's cache."""

import pytest

from optkit.kernels import compiler


@pytest.fixture(scope="session", autouse=True)
def kernel_cache(request):
    """Kept between runs, in the folder that `make clean` removes."""
    folder = request.config.cache.mkdir("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "cache_folder", lambda: folder)
        yield
