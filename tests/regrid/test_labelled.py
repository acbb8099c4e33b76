import numpy as np
import pytest
import xarray as xr

from gppcore.errors import RangeError, ShapeError
from gppcore.regrid import LatLonGrid, RegridPlan, aggregate, downscale, grid_of

N_LAT, N_LON, FACTOR = 18, 36, 3


def centres(n, first, last):
    step = (last - first) / n
    return first + step * (np.arange(n) + 0.5)


def data_array(factor=1, seed=0, dims=("time", "lat", "lon")):
    rng = np.random.default_rng(seed)
    n_lat, n_lon = N_LAT * factor, N_LON * factor
    values = rng.gamma(2.0, size=(4, n_lat, n_lon)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    lat = xr.Variable("lat", centres(n_lat, 90, -90), {"units": "degrees_north"})
    lon = xr.Variable("lon", centres(n_lon, -180, 180), {"units": "degrees_east"})
    coords = {"time": np.arange(4), "lat": lat, "lon": lon}
    array = xr.DataArray(values, coords, ("time", "lat", "lon"), "gpp", {"units": "g m-2 d-1"})
    return array.transpose(*dims)


def test_aggregate_keeps_dimensions_coordinates_and_attributes():
    array = data_array()
    expected = aggregate(array.values, factor=FACTOR, lat_edges=(90, -90), min_valid=0.5)
    turned = array.transpose("lat", "time", "lon")
    got = aggregate(turned, factor=FACTOR, min_valid=0.5)
    assert got.dims == ("lat", "time", "lon")
    np.testing.assert_allclose(got.transpose("time", "lat", "lon").values, expected, rtol=2e-7)
    np.testing.assert_allclose(got["lat"], centres(N_LAT // FACTOR, 90, -90))
    np.testing.assert_allclose(got["lon"], centres(N_LON // FACTOR, -180, 180))
    assert (got.name, got.attrs, got["lon"].attrs) == ("gpp", array.attrs, array["lon"].attrs)
    np.testing.assert_array_equal(got["time"], array["time"])


def test_fraction_of_labelled_fields():
    array = data_array()
    mean, share = aggregate(array, factor=FACTOR, fraction=True)
    expected = aggregate(array.values, factor=FACTOR, lat_edges=(90, -90), fraction=True)
    np.testing.assert_allclose(mean.values, expected[0], rtol=2e-7)
    np.testing.assert_allclose(share.values, expected[1], rtol=2e-7)
    assert share.attrs["units"] == "1"


@pytest.mark.parametrize("method", ["conservative", "bilinear", "smooth"])
def test_downscale(method):
    array = data_array()
    options = {} if method == "conservative" else {"lat_edges": (90, -90), "lon_edges": (-180, 180)}
    expected = downscale(array.values, factor=FACTOR, method=method, **options)
    got = downscale(array, factor=FACTOR, method=method)
    # The edges of the array are midway between centres, to the last bit or so.
    np.testing.assert_allclose(got.values, expected, rtol=1e-6, atol=1e-14)
    np.testing.assert_allclose(got["lat"], centres(N_LAT * FACTOR, 90, -90), atol=1e-12)


def test_downscale_by_a_static_covariate_broadcasts():
    array, covariate = data_array(), data_array(FACTOR, seed=1).isel(time=0, drop=True)
    got = downscale(array, factor=FACTOR, method="covariate", covariate=covariate)
    assert got.dims == ("time", "lat", "lon")
    expected = downscale(
        array.values, factor=FACTOR, method="covariate", covariate=covariate.values, lat_edges=(90, -90)
    )
    np.testing.assert_allclose(got.values, expected, rtol=2e-7)
    with pytest.raises(ShapeError, match="expected lat"):
        downscale(array, factor=FACTOR, method="covariate", covariate=covariate[::-1])


def test_datasets_take_every_field_and_leave_the_rest():
    array = data_array()
    dataset = xr.Dataset({"a": array, "b": array[0, :, :] * 2, "scalar": 3.0, "zonal": array.mean(("time", "lon"))})
    got = aggregate(dataset, factor=FACTOR)
    assert set(got.data_vars) == {"a", "b", "scalar"}
    np.testing.assert_array_equal(got["a"], aggregate(array, factor=FACTOR))
    assert got["scalar"] == 3.0


def operations():
    target = LatLonGrid(np.linspace(-90, 90, 8), np.linspace(0, 360, 12))
    covariate = data_array(FACTOR, seed=1).isel(time=0, drop=True)
    return {
        "aggregate": lambda x: aggregate(x, factor=FACTOR),
        "conservative": lambda x: downscale(x, factor=FACTOR),
        "bilinear": lambda x: downscale(x, factor=FACTOR, method="bilinear"),
        "smooth": lambda x: downscale(x, factor=FACTOR, method="smooth"),
        "covariate": lambda x: downscale(x, factor=FACTOR, method="covariate", covariate=covariate),
        "plan": lambda x: RegridPlan(x, target).apply(x, min_valid=0.3),
        "fraction": lambda x: RegridPlan(x, target).apply(x, fraction=True)[1],
    }


@pytest.mark.parametrize("operation", operations())
@pytest.mark.parametrize("chunks", [{"time": 1}, {"time": 2, "lat": 5, "lon": 12}])
def test_dask_is_lazy_and_equal(operation, chunks):
    dask = pytest.importorskip("dask")
    array, function = data_array(), operations()[operation]
    computed = []

    def note(block):
        computed.append(block.shape)
        return block

    chunked = array.chunk(chunks)
    noted = chunked.copy(data=chunked.data.map_blocks(note, meta=np.empty((0, 0, 0), np.float32)))
    result = function(noted)
    assert dask.is_dask_collection(result)
    assert computed == []
    np.testing.assert_array_equal(result.compute(scheduler="synchronous"), function(array))
    assert len(computed) == np.prod(chunked.data.numblocks)


def test_bounds_tell_the_edges():
    array = data_array()
    uneven = np.array([-90, -80, 10, 15, 60, 90.0])
    bounds = xr.DataArray(np.stack([uneven[:-1], uneven[1:]], 1), dims=("lat", "bnds"))
    dataset = xr.Dataset({"a": (("lat", "lon"), array[0, :5, :].values), "lat_bnds": bounds})
    dataset = dataset.assign_coords(lat=("lat", (uneven[:-1] + uneven[1:]) / 2), lon=array["lon"])
    dataset["lat"].attrs["bounds"] = "lat_bnds"
    np.testing.assert_array_equal(grid_of(dataset).lat_edges, uneven)
    flipped = dataset.isel(lat=slice(None, None, -1))
    np.testing.assert_array_equal(grid_of(flipped).lat_edges, uneven[::-1])
    target = LatLonGrid([-90, 0, 90], [0, 180, 360])
    got = RegridPlan(dataset, target).apply(dataset)
    assert set(got.data_vars) == {"a"}
    assert "bounds" not in got["lat"].attrs
    np.testing.assert_array_equal(got["a"], RegridPlan(grid_of(dataset), target).apply(dataset["a"].values))
    gap = dataset.assign(lat_bnds=bounds * np.array([1.0, 0.9]))
    with pytest.raises(RangeError, match="touch"):
        grid_of(gap)


def test_coordinates_are_found_by_cf_attributes():
    array = data_array().rename(lat="rows", lon="columns")
    np.testing.assert_array_equal(aggregate(array, factor=FACTOR).values, aggregate(data_array(), factor=FACTOR).values)
    for name in ("rows", "columns"):
        del array[name].attrs["units"]
    with pytest.raises(ShapeError, match="latitude: expected one dimension"):
        aggregate(array, factor=FACTOR)


def test_a_field_on_another_grid_is_refused():
    array = data_array()
    plan = RegridPlan(array, LatLonGrid([-90, 90], [0, 360]))
    for other in (array[:, ::-1], array[:, 1:], array.assign_coords(lon=array["lon"] + 180)):
        with pytest.raises(ShapeError, match="expected"):
            plan.apply(other)
