import numpy as np
import pytest
import xarray as xr

from gppcore.constants import PFTS
from gppcore.errors import DtypeError, OutputExistsError, TileFormatError
from gppcore.features import STATIC_PREDICTORS
from gppcore.mapping.product import verify_product
from gppcore.mapping.vcmax25 import VCMAX25, map_vcmax25
from gppcore.process.parameters import CalibratedParameters, Covariate
from gppcore.tiles import store as tiles
from gppcore.tiles.store import TileStore

LAT, LON = 60.25 - 0.5 * np.arange(30), 5.25 + 0.5 * np.arange(40)
_N = len(PFTS) + 2
PARAMETERS = CalibratedParameters(
    PFTS,
    (Covariate("aridity", 0.1, 0.8, 0.15), Covariate("tair_growing", 12.0, 5.0, -0.05)),
    tuple(tuple(row) for row in (0.01 * np.eye(_N) + 0.002).tolist()),
    0.3,
)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Cells of three tiles with shares, C4 and the covariates; nothing grows in the first."""
    monkeypatch.setattr(tiles, "TILE_CELLS", 512)
    store = TileStore.create(tmp_path / "store", LAT, LON, np.arange(1200))
    rng = np.random.default_rng(1)
    for name in (*STATIC_PREDICTORS, *PARAMETERS.names):
        store.add(name, monthly=False, attrs={})
        for tile in range(store.n_tiles):
            values = rng.random(store.n_cells(tile), dtype=np.float32) / 8
            values[:1] = 0.0
            store.write(name, tile, values)
    return store


def fields(store):
    return {name: store.read_field(name) for name in VCMAX25}


def test_every_cell_has_the_value_of_its_place(store, tmp_path):
    map_vcmax25(PARAMETERS, store, tmp_path / "vcmax25.zarr", n_threads=2)
    place = {name: store.read_field(name) for name in (*STATIC_PREDICTORS, *PARAMETERS.names)}
    for (name, found), expected in zip(fields(store).items(), PARAMETERS.canopy_vcmax25(place), strict=True):
        np.testing.assert_array_equal(found, expected.astype(np.float32), err_msg=name)
        assert np.isnan(found).sum() == store.n_tiles, "the cells where nothing grows"
    assert verify_product(tmp_path / "vcmax25.zarr") > 3
    with xr.open_zarr(tmp_path / "vcmax25.zarr", chunks=None, consolidated=False) as ds:
        assert ds["vcmax25"].dims == ("lat", "lon")
        assert "time" not in ds.variables, "it has no months"
        assert "carboxylation" in ds.attrs["summary"]
        row, column = np.divmod(store.index, 40)
        np.testing.assert_array_equal(ds["vcmax25_high"].values[row, column], fields(store)["vcmax25_high"])


def test_a_covariate_of_the_month_has_its_mean_over_known_months(store):
    store.add("ndwi", monthly=True, attrs={})
    rng = np.random.default_rng(2)
    for tile in range(store.n_tiles):
        values = rng.uniform(-0.2, 0.6, (12, store.n_cells(tile))).astype(np.float32)
        values[3:] = np.where(rng.random(values[3:].shape) < 0.3, np.nan, values[3:])
        store.write("ndwi", tile, values)
    covariates = (*PARAMETERS.covariates, Covariate("ndwi", 0.1, 0.2, 0.1))
    monthly = CalibratedParameters(PFTS, covariates, tuple(map(tuple, (0.01 * np.eye(_N + 1)).tolist())), 0.3)
    map_vcmax25(monthly, store)
    place = {name: store.read_field(name) for name in (*STATIC_PREDICTORS, *PARAMETERS.names)}
    months = np.stack([store.read_field("ndwi", month) for month in range(12)]).astype(np.float64)
    expected = monthly.canopy_vcmax25({**place, "ndwi": np.nanmean(months, axis=0)})[0]
    np.testing.assert_allclose(fields(store)["vcmax25"], expected, rtol=1e-6)


def test_other_parameters_replace_the_fields_and_the_same_keep_them(store):
    map_vcmax25(PARAMETERS, store)
    before, journal = fields(store), store.path / "cell" / "journal.jsonl"
    written = journal.read_bytes()
    map_vcmax25(PARAMETERS, store)
    assert journal.read_bytes() == written
    wider = CalibratedParameters(PFTS, PARAMETERS.covariates, PARAMETERS.covariance, 0.5)
    map_vcmax25(wider, store)
    np.testing.assert_array_equal(fields(store)["vcmax25"], before["vcmax25"])
    assert np.nanmin(fields(store)["vcmax25_high"] - before["vcmax25_high"]) > 0.0


def test_wrong_arguments_are_refused(store, tmp_path):
    with pytest.raises(DtypeError, match=r"parameters: expected .*CalibratedParameters.*got .*None"):
        map_vcmax25(None, store)
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputExistsError, match="product: expected a new folder"):
        map_vcmax25(PARAMETERS, store, tmp_path / "there")
    other = CalibratedParameters(PFTS, (Covariate("lai_max", 4.0, 1.0, 0.1),))
    with pytest.raises(TileFormatError, match="lai_max"):
        map_vcmax25(other, store)
