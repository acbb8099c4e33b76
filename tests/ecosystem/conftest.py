"""A product of two years with bounds, whose numbers are known."""

import numpy as np
import pytest

from gppcore.features import MONTHLY_PREDICTORS, PREDICTORS
from gppcore.mapping.product import write_netcdf
from gppcore.mapping.run import map_gpp
from gppcore.tiles.store import TileStore

LAT, LON = 89.0 - 2.0 * np.arange(90), -179.0 + 2.0 * np.arange(180)
YEARS = (2001, 2002)


class Share:
    """Predicts a share of the first predictor."""

    has_interval = True

    def __init__(self, share):
        self.share, self.digest = share, str(share)

    def predict_columns(self, columns, *, interval):
        """Return the share and bounds around it."""
        gpp = columns[0] * np.float32(self.share)
        return gpp, 0.5 * gpp, 1.5 * gpp


def season(lat, lon, month):
    """Return GPP that is large in the tropics and follows the sun elsewhere, g m-2 d-1."""
    warm = 1 + np.cos(2 * np.pi * (month - 6) / 12) * np.sin(np.radians(lat))
    return 4 * np.cos(np.radians(lat)) ** 2 * warm * (1.2 + np.sin(np.radians(3 * lon)))


@pytest.fixture(scope="session")
def products(tmp_path_factory):
    """Write netCDF products that hold the season and 0.8 of it on land; return their paths by name."""
    folder = tmp_path_factory.mktemp("ecosystem")
    lat, lon = np.meshgrid(LAT, LON, indexing="ij")
    cells = np.flatnonzero((np.abs(lat) < 70) & (np.sin(np.radians(2 * lon)) > -0.3))
    store = TileStore.create(folder / "store", LAT, LON, cells, years=YEARS)
    row, column = np.divmod(store.index, LON.size)
    gpp = season(LAT[row], LON[column], np.arange(12)[:, None]).astype(np.float32)
    for name in PREDICTORS:
        monthly = name in MONTHLY_PREDICTORS
        store.add(name, monthly=monthly, attrs={})
        for year in YEARS if monthly else (None,):
            values = gpp if name == PREDICTORS[0] else np.full_like(gpp, 0.5)  # within the range of any predictor
            store.write(name, 0, values if monthly else values[0], year)
    for name, share in (("truth", 1.0), ("model", 0.8)):
        map_gpp(Share(share), store, folder / f"{name}.zarr", variable=name)
        write_netcdf(folder / f"{name}.zarr", folder / f"{name}.nc")
    return {name: folder / f"{name}.nc" for name in ("truth", "model")}
