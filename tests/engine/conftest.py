"""Every test that takes `kernel` runs with torch's and with native kernels; `any_kernel` adds the definition itself."""

from __future__ import annotations

import shutil

import pytest

from sweeps.engine.native import library


@pytest.fixture(params=["torch", "native"])
def kernel(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and library() is None:
        if shutil.which("g++") or shutil.which("clang++"):
            pytest.fail("there is a C++ compiler, but the native kernels do not build")
        pytest.skip("no C++ compiler: there are no native kernels on this machine")
    return str(request.param)


@pytest.fixture(params=["torch", "native", "reference"])
def any_kernel(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and library() is None:
        pytest.skip("no C++ compiler: there are no native kernels on this machine")
    return str(request.param)
