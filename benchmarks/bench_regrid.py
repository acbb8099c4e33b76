"""Regridding of one global 0.05 degree float32 field, beside numpy and beside a plain copy of that field."""

import numpy as np
import pytest

from gppcore.regrid import aggregate, downscale

FACTOR, GLOBE = 10, {"lat_edges": (90, -90)}


@pytest.fixture(scope="module")
def fine():
    rng = np.random.default_rng(0)
    field = rng.random((3600, 7200), np.float32)
    field[:, 2000:] = np.where(rng.random((3600, 5200)) < 0.95, np.nan, field[:, 2000:])
    return field


@pytest.fixture(scope="module")
def coarse():
    return np.random.default_rng(1).random((360, 720), np.float32)


def numpy_aggregate(fine):
    area = np.abs(np.diff(np.sin(np.radians(np.linspace(90, -90, 3601)))))[:, None]
    valid = ~np.isnan(fine)
    blocks = (360, FACTOR, 720, FACTOR)
    total = (np.where(valid, fine, 0.0) * area).reshape(blocks).sum(axis=(1, 3))
    weight = (valid * area).reshape(blocks).sum(axis=(1, 3))
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)


def numpy_covariate(coarse, covariate):
    return (coarse / numpy_aggregate(covariate)).repeat(FACTOR, 0).repeat(FACTOR, 1) * covariate


def measure(benchmark, function, *args, **kwargs):
    return benchmark.pedantic(function, args, kwargs, rounds=5, warmup_rounds=1)


def test_copy(benchmark, fine):
    out = np.empty_like(fine)
    measure(benchmark, np.copyto, out, fine)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_aggregate(benchmark, fine, n_threads):
    out = np.empty((360, 720), np.float32)
    aggregate(fine, factor=FACTOR, out=out, **GLOBE)
    np.testing.assert_allclose(out, numpy_aggregate(fine), rtol=1e-6)
    measure(benchmark, aggregate, fine, factor=FACTOR, out=out, n_threads=n_threads, **GLOBE)


def test_aggregate_numpy(benchmark, fine):
    benchmark.pedantic(numpy_aggregate, (fine,), rounds=1)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_downscale_covariate(benchmark, coarse, fine, n_threads):
    args = {"factor": FACTOR, "method": "covariate", "covariate": fine, "out": np.empty_like(fine)} | GLOBE
    np.testing.assert_allclose(downscale(coarse, **args), numpy_covariate(coarse, fine), rtol=1e-6)
    measure(benchmark, downscale, coarse, n_threads=n_threads, **args)


def test_downscale_covariate_numpy(benchmark, coarse, fine):
    benchmark.pedantic(numpy_covariate, (coarse, fine), rounds=1)


def test_downscale_conservative(benchmark, coarse, fine):
    out = np.empty_like(fine)
    np.testing.assert_array_equal(downscale(coarse, factor=FACTOR, out=out), coarse.repeat(10, 0).repeat(10, 1))
    measure(benchmark, downscale, coarse, factor=FACTOR, out=out)


def test_downscale_conservative_numpy(benchmark, coarse):
    measure(benchmark, lambda: coarse.repeat(FACTOR, 0).repeat(FACTOR, 1))


def test_downscale_bilinear(benchmark, coarse, fine):
    args = {"factor": FACTOR, "method": "bilinear", "lon_edges": (-180, 180), "out": np.empty_like(fine)}
    inner = downscale(coarse, **args)[5:15, 5:15]
    f = np.arange(0.05, 1.0, 0.1)
    corners = coarse[:2, :2].astype(float)
    np.testing.assert_allclose(inner, np.stack([1 - f, f], 1) @ corners @ np.stack([1 - f, f]), rtol=1e-6)
    measure(benchmark, downscale, coarse, **args)
