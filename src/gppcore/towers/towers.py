"""Flux towers, the target domain: tower folders and what models need of them.

A folder of towers holds three CSV files (plain or .gz):

- ``gpp_monthly.csv``: ``site_id, year, month, gpp`` [g C m-2 d-1]; optional ``core`` (1 marks rows to use),
  ``modis_lai_m2_m2`` [m2 m-2], leaf area at the tower, and any other predictors;
- ``sites.csv``: ``site_id, lat, lon, igbp`` (acronym such as ENF), ``c4_percent, cluster50km``, and
  ``koeppen_cedar`` or ``grid_koeppen_main`` (Koeppen class), and any other static predictors;
- ``cell_forcing_monthly.csv``: ``site_id, year, month, cell_tmin_c, cell_tmax_c, cell_sw_mj_m2_d, cell_vpd_hpa,
  cell_precip_mm_d, cell_co2_ppm, cell_lai_m2_m2``: every month of whole years, for every site.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import EARTH_RADIUS, PFT_NAMES
from gppcore.display import html_table
from gppcore.errors import GppcoreError, MissingFileError, TowerFormatError
from gppcore.features import FRACTIONS, PREDICTORS, Samples, igbp_codes, predictor_matrix
from gppcore.features.derive import derivable, derived
from gppcore.features.place import CLIMATE, MONTHLY_COVARIATES, PLACE, SATELLITE, SEASON, mean_year_of
from gppcore.io.reading import read_file, unpacked
from gppcore.variables import SECONDS_PER_DAY, VARIABLES, check_field, check_range

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    Places = pd.DataFrame | Mapping[str, NDArray[np.float64]]

_GPP = ("site_id", "year", "month", "gpp")
_SITES = ("site_id", "lat", "lon", "igbp", "c4_percent", "cluster50km")
_FORCING = {
    "cell_tmin_c": "tmin",
    "cell_tmax_c": "tmax",
    "cell_sw_mj_m2_d": "sw",
    "cell_vpd_hpa": "vpd",
    "cell_precip_mm_d": "precip",
    "cell_co2_ppm": "ca",
    "cell_lai_m2_m2": "lai",
}
_MONTHLY_COLUMNS = {
    "modis_lai_m2_m2": "lai_modis",
    "modis_fpar": "fpar",
    "modis_ndwi": "ndwi",
    "modis_lst_day_k": "lst_day",
    "modis_lst_night_k": "lst_night",
    "modis_snow_pct": "snow_cover",
    "esacci_sm_m3_m3": "surface_soil_moisture",
    "era5_skin_t_k": "skin_temperature",
    "era5_pet_mm_d": "pet",
    "bess_par_w_m2": "par",
    "bess_pardiff_w_m2": "par_diffuse",
    "cell_burned_frac": "burned_fraction",
}
_SITE_COLUMNS = {
    "elev_m": "elevation",
    "grid_elev_0p5": "elevation_coarse",
    "grid_NDVI_maximum": "ndvi_max",
    "grid_NDVI_minimum": "ndvi_min",
    "bess_peakVCmax_C3": "vcmax25_peak_c3",
    "bess_kn": "kn",
    "soil_sand_30cm_raw": "soil_sand",
    "soil_clay_30cm_raw": "soil_clay",
    "soil_organic_30cm_raw": "soil_organic",
    "soil_swc_30cm_raw": "soil_field_capacity",
}
"""Columns of a tower folder, which state product and unit, and the names of these variables."""
CLUSTER_KM = 50.0
"""Towers closer together than this [km] are never split between training and test."""
_MONTH = ["site_id", "year", "month"]
_TEXT = {"site_id", "igbp"}
_KOEPPEN = ("koeppen_cedar", "grid_koeppen_main")
W_PER_MJ_DAY = 1e6 / SECONDS_PER_DAY
CELL_VPD_TO_DAYLIGHT_VPD = 100.0 / 1.65
"""Pa per hPa, over the ratio of the cells' VPD, that of the warmest hours, to the towers' daytime mean."""


@dataclass(frozen=True)
class Towers:
    """Towers with their GPP and forcing: the target domain.

    Attributes
    ----------
    name : str
        Origin, for labels.
    synthetic : bool
        Whether they were sampled from a model planet.
    sites : pandas.DataFrame
        Index site_id; lat, lon, igbp (acronym), region (Koeppen main class), continent, cluster, any static predictors.
    gpp : pandas.DataFrame
        site_id, year, month, gpp_daily [g m-2 d-1], and any predictors of these months.
    forcing : xarray.Dataset
        (time, cell) with one cell per site, in the order of `sites`: input of :func:`gppcore.simulate`
        and all predictors.
    left_out : mapping of str to int
        Number of months of the folder that are not core, by reason.

    Examples
    --------
    >>> from gppcore.demo.towers import demonstration_towers
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> towers
    Towers('FLUXNET2015 on the embedded world', 11 sites, 955 months)
    >>> summer = towers.rows((towers.gpp["month"] == 7).to_numpy())
    >>> len(summer.gpp), round(float(summer.gpp["gpp_daily"].mean()), 1)
    (83, 9.0)
    """

    name: str
    synthetic: bool
    sites: pd.DataFrame
    gpp: pd.DataFrame
    forcing: xr.Dataset
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Towers({self.name!r}, {len(self.sites)} sites, {len(self.gpp)} months)"

    def _repr_html_(self) -> str:
        years = f"{self.gpp['year'].min()} to {self.gpp['year'].max()}" if len(self.gpp) else "none"
        classes = self.sites["igbp"].value_counts()
        rows = {
            "from": self.name,
            "sites": str(len(self.sites)),
            "months with GPP": f"{len(self.gpp):,}",
            "years": years,
            "land cover": ", ".join(f"{name} {count}" for name, count in classes.items()),
        }
        return html_table("Towers", rows)

    def why_left_out(self) -> str:
        """Return, in words, why months are not core; empty where all are."""
        reasons = ", ".join(f"{reason} ({n})" for reason, n in self.left_out.items())
        return f"months that are not core: {reasons}" if reasons else ""

    def positions(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the time step and the cell of `forcing` for every row of `gpp`; -1 where there is none."""
        import pandas as pd

        time = pd.DatetimeIndex(self.forcing["time"].values)
        months = pd.MultiIndex.from_arrays([time.year, time.month])
        t = months.get_indexer(pd.MultiIndex.from_frame(self.gpp[["year", "month"]]))
        return t.astype(np.int64), self.sites.index.get_indexer(pd.Index(self.gpp["site_id"])).astype(np.int64)

    @property
    def row_clusters(self) -> NDArray[np.generic]:
        """Cluster of the tower of every row of `gpp`."""
        return self.sites["cluster"].loc[self.gpp["site_id"]].to_numpy()

    def rows(self, which: NDArray[np.bool_] | slice) -> Towers:
        """Return the same towers with these rows of `gpp` only."""
        return replace(self, gpp=self.gpp.iloc[which])

    def at(self, samples: Samples) -> Towers:
        """Return the same towers with the GPP of these samples only, for instance of a training fold."""
        rows = samples.groups[["site", "year", "month"]].rename(columns={"site": "site_id"})
        return replace(self, gpp=rows.assign(gpp_daily=samples.gpp_daily).reset_index(drop=True))

    def samples(self, process: xr.Dataset, *, predictors: Sequence[str] = PREDICTORS) -> Samples:
        """Join GPP, predictors and the process model to rows.

        Parameters
        ----------
        process : xarray.Dataset
            Result of `simulate(towers.forcing)`.
        predictors : sequence of str, default `gppcore.features.PREDICTORS`
            Names in `forcing`, or columns of `gpp` or `sites`.

        Returns
        -------
        Samples
            Rows where GPP, the process model and the predictors are known; of the predictors in `gpp` and `sites`, and
            of lags and normals, which the process model does without, any may be missing (NaN).

        Raises
        ------
        TowerFormatError
            If a predictor is in none of the tables.
        """
        import pandas as pd

        t, cell = self.positions()
        known = (t >= 0) & (cell >= 0)
        t, cell, gpp = t[known], cell[known], self.gpp[known].reset_index(drop=True)
        forced = [name for name in predictors if name in self.forcing or name.startswith("fraction_")]

        def column(name: str) -> NDArray[np.float64]:
            if name in forced:
                return self.forcing_at(name, t, cell)
            if name in gpp:
                return gpp[name].to_numpy(float)
            if name in self.sites:
                return self.sites[name].to_numpy(float)[cell]
            raise TowerFormatError(f"towers {self.name}: expected a predictor {name}, got columns {list(gpp)}")

        x = predictor_matrix({name: column(name) for name in predictors}, predictors)
        simulated = process["gpp_daily"].transpose("time", "cell").values[t, cell]
        site = self.sites.iloc[cell].reset_index(drop=True)
        groups = pd.DataFrame(
            {
                "site": gpp["site_id"],
                "cluster": site["cluster"],
                "region": site["region"],
                "continent": site.get("continent", ""),
                "pft": site["igbp"],
                "year": gpp["year"],
                "month": gpp["month"],
                "lat": site["lat"],
                "lon": site["lon"],
                "tair_mean": np.nanmean(self.forcing["tair"].transpose("time", "cell").values, axis=0)[cell],
            }
        )
        samples = Samples(x, gpp["gpp_daily"].to_numpy(float), simulated, groups, tuple(predictors))
        needed = x[:, [name in forced and name not in (*PLACE, *MONTHLY_COVARIATES) for name in predictors]]
        return samples.take(np.isfinite(needed).all(axis=1) & np.isfinite(simulated) & np.isfinite(samples.gpp_daily))

    def forcing_at(self, name: str, t: NDArray[np.int64], cell: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return a predictor of the forcing, or an area share `fraction_<pft>`, at steps of time and cells."""
        if name in self.forcing:
            field = self.forcing[name]
            monthly = "time" in field.dims
        else:
            field, monthly = self.forcing["pft_fraction"].sel(pft=name.removeprefix("fraction_")), False
        values: NDArray[np.float64] = (
            field.transpose("time", "cell").values[t, cell] if monthly else field.values[cell]
        ).astype(np.float64)
        return values


def read_towers(folder: str | Path) -> Towers:
    """Read a folder of towers (layout: see the module).

    Parameters
    ----------
    folder : str or Path
        Folder with the three CSV files.

    Returns
    -------
    Towers
        Sites that have forcing; GPP rows marked `core` where that column exists, else all.

    Raises
    ------
    MissingFileError
        If the folder or one of its files does not exist.
    TowerFormatError
        If a column is missing or not of numbers, a site or month is repeated, or the forcing is not whole years
        at every site.
    UnitsError, RangeError
        If a column is, or looks like it is, in another unit, or out of range; an IGBP class is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from gppcore import read_towers
    >>> months = {"site_id": "DE-Mad", "year": 2003, "month": np.arange(1, 13)}
    >>> Path("towers").mkdir()
    >>> pd.DataFrame({**months, "gpp": 4.0}).to_csv("towers/gpp_monthly.csv", index=False)
    >>> place = {"site_id": "DE-Mad", "lat": 51.0, "lon": 13.5, "igbp": "DBF", "c4_percent": 0, "cluster50km": 0}
    >>> pd.DataFrame([{**place, "koeppen_cedar": "Cfb"}]).to_csv("towers/sites.csv", index=False)
    >>> weather = {"cell_tmin_c": 5.0, "cell_tmax_c": 14.0, "cell_sw_mj_m2_d": 11.0, "cell_vpd_hpa": 7.0}
    >>> more = {"cell_precip_mm_d": 2.0, "cell_co2_ppm": 376.0, "cell_lai_m2_m2": 2.5}
    >>> pd.DataFrame({**months, **weather, **more}).to_csv("towers/cell_forcing_monthly.csv", index=False)
    >>> read_towers("towers")
    Towers('towers', 1 sites, 12 months)
    """
    folder = Path(folder)
    gpp = _read(folder, "gpp_monthly.csv", _GPP)
    sites = _read(folder, "sites.csv", _SITES).set_index("site_id")
    forcing = _read(folder, "cell_forcing_monthly.csv", ("site_id", "year", "month", *_FORCING))
    climate = [c for c in _KOEPPEN if c in sites]
    if not climate:
        raise TowerFormatError(f"{folder / 'sites.csv'}: expected a column out of {list(_KOEPPEN)}, got {list(sites)}")
    if sites.index.has_duplicates:
        raise TowerFormatError(
            f"sites.csv: expected one row per site, got {sites.index[sites.index.duplicated()][0]} again"
        )
    if repeated := gpp[gpp.duplicated(["site_id", "year", "month"])].head(1).to_dict("records"):
        raise TowerFormatError(f"gpp_monthly.csv: expected one row per site and month, got {repeated[0]} again")
    check_field("gpp_daily", gpp["gpp"].clip(lower=0.0).to_numpy(), where="gpp_monthly.csv")
    sites = sites[sites.index.isin(forcing["site_id"])]
    table = sites.select_dtypes("number").drop(columns="cluster50km", errors="ignore")
    table = _named(table, _SITE_COLUMNS, "sites.csv").assign(
        igbp=sites["igbp"],
        continent=_continents(sites["lat"].to_numpy(float), sites["lon"].to_numpy(float)),
        region=sites[climate].bfill(axis=1).iloc[:, 0].str[0].str.upper(),
        cluster=sites["cluster50km"],
    )
    used = gpp[gpp["core"] == 1] if "core" in gpp else gpp
    used = used.rename(columns={"gpp": "gpp_daily"}).select_dtypes("number").assign(site_id=used["site_id"])
    used = _named(used, _MONTHLY_COLUMNS, "gpp_monthly.csv")
    observed = gpp.rename(columns=_MONTHLY_COLUMNS).set_index(_MONTH).select_dtypes("number")
    dataset = _forcing(table, sites["c4_percent"].to_numpy(float) / 100.0, forcing, observed.get("lai_modis"))
    towers = Towers(str(folder), False, table, used, dataset, _left_out(gpp))
    return _with_satellite_normals(towers, observed)


def _left_out(gpp: pd.DataFrame) -> dict[str, int]:
    """Count the months that are not core by their reason, the most frequent first."""
    if "core" not in gpp:
        return {}
    others = gpp[gpp["core"] != 1]
    if "reason" not in gpp:
        return {"marked by the file": len(others)} if len(others) else {}
    counts = others["reason"].fillna("marked by the file").value_counts()
    return {str(reason): int(n) for reason, n in counts.items()}


def join_towers(train: Towers, test: Towers) -> Towers:
    """Join two sets of towers, leaving out those of the first that lie within 50 km of one of the second.

    Raises
    ------
    TowerFormatError
        If nothing is left of the first.

    Examples
    --------
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.towers import join_towers
    >>> join_towers(demonstration_towers(45, 48, 5, 12), demonstration_towers(36, 38, -4, -1))
    Towers('FLUXNET2015 on the embedded world, FLUXNET2015 on the embedded world', 14 sites, 1063 months)
    """
    import pandas as pd
    import xarray as xr

    near = distance_km(train.sites, test.sites).min(axis=1) < CLUSTER_KM
    kept = np.flatnonzero(~near & ~train.sites.index.isin(test.sites.index))
    if not kept.size:
        raise TowerFormatError(f"towers {train.name}: expected some farther than 50 km from those of {test.name}")
    first = train.sites.iloc[kept].assign(cluster=[f"train {c}" for c in train.sites["cluster"].iloc[kept]])
    second = test.sites.assign(cluster=[f"test {c}" for c in test.sites["cluster"]])
    gpp = train.gpp[train.gpp["site_id"].isin(first.index)]
    forcing = xr.concat([train.forcing.isel(cell=kept), test.forcing], "cell", data_vars="minimal", join="outer")
    return Towers(
        f"{train.name}, {test.name}",
        train.synthetic or test.synthetic,
        pd.concat([first, second]),
        pd.concat([gpp, test.gpp], ignore_index=True),
        forcing,
    )


def distance_km(first: Places, second: Places) -> NDArray[np.float64]:
    """Return great-circle distances between places, tables or arrays of lat and lon, shape (first, second)."""
    lat, lon = (np.radians(np.asarray(first[name], dtype=float))[:, None] for name in ("lat", "lon"))
    lat2, lon2 = (np.radians(np.asarray(second[name], dtype=float))[None] for name in ("lat", "lon"))
    chord = np.sin((lat - lat2) / 2.0) ** 2 + np.cos(lat) * np.cos(lat2) * np.sin((lon - lon2) / 2.0) ** 2
    distance: NDArray[np.float64] = 2.0 * EARTH_RADIUS / 1000.0 * np.arcsin(np.sqrt(chord))
    return distance


def _read(folder: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise MissingFileError(f"towers: expected a file {folder / name} or {name}.gz, got none")
    text = read_file(path, TowerFormatError)
    try:
        if path.suffix == ".gz":
            with gzip.open(BytesIO(text)) as file:
                text = unpacked(file, len(text), str(path), TowerFormatError)
        table = pd.read_csv(BytesIO(text))
    except TowerFormatError:
        raise
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise TowerFormatError(f"{path}: expected a CSV table, got {error}") from error
    if missing := [c for c in columns if c not in table]:
        raise TowerFormatError(f"{path}: expected columns {missing}, got {list(table.columns)}")
    for column in set(columns) - _TEXT:
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise TowerFormatError(f"{path}: expected numbers in column {column}, got {table[column].dtype}")
    return table


def _forcing(sites: pd.DataFrame, c4: NDArray[np.float64], rows: pd.DataFrame, lai: pd.Series | None) -> xr.Dataset:
    """Bring the forcing of all sites to (time, cell) in gppcore's units and add what follows from it."""
    import pandas as pd
    import xarray as xr

    where = "cell_forcing_monthly.csv"
    rows = rows[rows["site_id"].isin(sites.index)].set_index(["year", "month", "site_id"]).sort_index()
    if rows.index.has_duplicates:
        raise TowerFormatError(f"{where}: expected one row per site and month, got some repeated")
    wide = {new: rows[old].unstack("site_id").reindex(columns=sites.index) for old, new in _FORCING.items()}
    index = wide["tmin"].index
    if len(index) % 12 or (index.get_level_values("month") != np.resize(np.arange(1, 13), len(index))).any():
        raise TowerFormatError(f"{where}: expected whole years of 12 months, got {len(index)} months")
    if len(rows) != len(index) * len(sites):
        raise TowerFormatError(f"{where}: expected {len(index)} months at each of {len(sites)} sites, got {len(rows)}")
    values = {name: frame.to_numpy(float) for name, frame in wide.items()}
    if lai is not None:
        at_tower = lai.unstack("site_id").reindex(index=index, columns=sites.index).to_numpy(float)
        both = np.stack([at_tower, values["lai"]])
        # Two uncertain estimates of the leaves around the tower: their mean is better than either.
        values["lai"] = np.where(np.isnan(both).any(axis=0), np.fmax(*both), both.mean(axis=0))
    # The months of other years tell more of the leaves than leaving the month out.
    usual = np.resize(mean_year_of(values["lai"]), values["lai"].shape)
    filled = np.isnan(values["lai"]) & np.isfinite(usual)
    values["lai"] = np.where(filled, usual, values["lai"])
    fields = {
        "tmin": values["tmin"],
        "tmax": values["tmax"],
        "sw": values["sw"] * W_PER_MJ_DAY,
        "vpd": values["vpd"] * CELL_VPD_TO_DAYLIGHT_VPD,
        "precip": values["precip"],
        "ca": values["ca"],
        "lai": values["lai"],
    }
    igbp = _codes(sites).astype(np.float64)
    fields |= derived({**fields, "lat": sites["lat"].to_numpy(float), "igbp": igbp}, also=(*SEASON, *CLIMATE))
    fields["lai_filled"] = filled.astype(np.float64)
    for name in (*fields, *_FORCING.values()):
        if name in VARIABLES:
            check_field(name, fields[name], where=where)
    time = pd.to_datetime(index.to_frame().assign(day=15)[["year", "month", "day"]])
    fractions = np.stack([fields.pop(name) for name in FRACTIONS])
    dims = ("time", "cell")
    return xr.Dataset(
        {
            **{name: (dims[2 - field.ndim :], field) for name, field in fields.items()},
            "lat": ("cell", sites["lat"].to_numpy(float)),
            "c4_fraction": ("cell", c4),
            "pft_fraction": (("pft", "cell"), fractions),
        },
        coords={"time": time.to_numpy(), "pft": list(PFT_NAMES)},
    )


def _with_satellite_normals(towers: Towers, observed: pd.DataFrame) -> Towers:
    """Add what follows from the satellite columns of all months, core or not: normals of sites, and monthly fields."""
    import pandas as pd

    time = pd.DatetimeIndex(towers.forcing["time"].values)
    index, sites = [time.year, time.month], towers.sites.index
    observed = observed[~observed.index.duplicated()]
    fields = {
        name: observed[name].unstack("site_id").reindex(index=pd.MultiIndex.from_arrays(index), columns=sites)
        for name in ("fpar", "ndwi", "lst_day", "lst_night", "lai_modis")
        if name in observed
    }
    known: dict[str, NDArray[np.float64]] = {name: field.to_numpy(float) for name, field in fields.items()}
    known["tair"] = towers.forcing["tair"].transpose("time", "cell").values
    known["lat"] = towers.sites["lat"].to_numpy(float)
    found = derived(known, also=SATELLITE)
    monthly = derivable(known, also=SATELLITE)
    t, cell = towers.positions()
    inside = (t >= 0) & (cell >= 0)
    names = [name for name in SATELLITE if name in found]
    gpp = {name: np.where(inside, found[name][t, cell], np.nan) for name in names if monthly[name]}
    table = {name: found[name] for name in names if not monthly[name]}
    seen = towers.forcing.assign({n: (("time", "cell"), known[n]) for n in MONTHLY_COVARIATES if n in known})
    return replace(towers, gpp=towers.gpp.assign(**gpp), sites=towers.sites.assign(**table), forcing=seen)


def _named(table: pd.DataFrame, names: Mapping[str, str], where: str) -> pd.DataFrame:
    """Rename the columns of predictors and check their ranges."""
    if clash := sorted(set(names.values()) & set(table)):
        raise TowerFormatError(f"{where}: expected a predictor under one name, got {clash} beside their own columns")
    named = table.rename(columns=dict(names))
    for name in set(names.values()) & set(named):
        check_range(name, named[name].to_numpy(float), where=where)
    return named


def _continents(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> list[str]:
    """Return the continents of places, by boxes of latitude and longitude (coarse: towers, not borders)."""
    found = []
    for y, x in zip(lat, lon, strict=True):
        if x < -30.0:
            found.append("north america" if y > 13.0 else "south america")
        elif y < -10.0 and x > 100.0:
            found.append("australia")
        elif x < 52.0 and y < 36.0 and not (x > 34.0 and y > 12.0):
            found.append("africa")
        else:
            found.append("europe" if x < 60.0 else "asia")
    return found


def _codes(sites: pd.DataFrame) -> NDArray[np.uint8]:
    try:
        return igbp_codes(sites["igbp"].to_numpy())
    except GppcoreError as error:
        raise type(error)(f"sites.csv: {error}") from None
