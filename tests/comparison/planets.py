"""Small planets of random GPP."""

import numpy as np
import xarray as xr


def planet(step=10.0, *, south=-90.0, north=90.0, west=-180.0, east=180.0, seed=0, months=12):
    """Return a dataset of random monthly GPP, north first, in g C m-2 d-1."""
    lat = np.arange(north - step / 2, south, -step)
    lon = np.arange(west + step / 2, east, step)
    values = np.random.default_rng(seed).gamma(2.0, 2.0, (months, lat.size, lon.size))
    time = np.arange("2019-01", "2020-01", dtype="datetime64[M]")[:months].astype("datetime64[ns]")
    return xr.Dataset(
        {"gpp": (("time", "lat", "lon"), values, {"units": "g C m-2 d-1"})},
        coords={
            "time": time,
            "lat": ("lat", lat, {"standard_name": "latitude"}),
            "lon": ("lon", lon, {"standard_name": "longitude"}),
        },
    )
