"""The table of variables: one name, one unit, one valid range; checks and CF attributes come from here.

``python -m gppcore.variables`` prints it as docs/nomenclature.md, and ``python -m gppcore.variables header`` as
cpp/src/variables.hpp; tests compare them.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import RangeError, RangeWarning, UnitsError


@dataclass(frozen=True)
class LookAlike:
    """A unit often mistaken for the right one: a whole field whose maximum lies in `maximum` is suspect."""

    unit: str
    maximum: tuple[float, float]


@dataclass(frozen=True)
class Variable:
    """Name, unit and valid range of a quantity; `aliases` are names of FLUXNET, ERA5 and MODIS, in their own units.

    Examples
    --------
    >>> from gppcore.variables import VARIABLES
    >>> vpd = VARIABLES["vpd"]
    >>> vpd.unit, vpd.valid_range, vpd.aliases
    ('Pa', (0.0, 15000.0), ('VPD_F', 'VPD'))
    """

    name: str
    long_name: str
    unit: str
    valid_range: tuple[float, float]
    standard_name: str | None = None
    look_alike: LookAlike | None = None
    aliases: tuple[str, ...] = ()


_TABLE = (
    Variable("gpp", "gross primary production", "umol m-2 s-1", (0.0, 150.0)),
    Variable(
        "gpp_daily",
        "gross primary production",
        "g m-2 d-1",
        (0.0, 60.0),
        "gross_primary_productivity_of_biomass_expressed_as_carbon",
    ),
    Variable("gpp_daily_process", "gross primary production of the process model", "g m-2 d-1", (0.0, 60.0)),
    Variable("gpp_daily_low", "5 % bound of gross primary production", "g m-2 d-1", (0.0, 60.0)),
    Variable("gpp_daily_high", "95 % bound of gross primary production", "g m-2 d-1", (0.0, 60.0)),
    Variable("gpp_total", "total gross primary production of a region and period", "Pg yr-1", (0.0, 1000.0)),
    Variable("gpp_total_low", "5 % bound of the total gross primary production", "Pg yr-1", (0.0, 1000.0)),
    Variable("gpp_total_high", "95 % bound of the total gross primary production", "Pg yr-1", (0.0, 1000.0)),
    Variable("dissimilarity", "dissimilarity index to the nearest flux tower", "1", (0.0, 100.0)),
    Variable(
        "tair",
        "air temperature",
        "degC",
        (-90.0, 65.0),
        "air_temperature",
        LookAlike("K", (150, 350)),
        ("TA_F", "TA", "t2m"),
    ),
    Variable(
        "tmin", "lowest air temperature of the day", "degC", (-90.0, 65.0), None, LookAlike("K", (150, 350)), ("mn2t",)
    ),
    Variable(
        "tmax", "highest air temperature of the day", "degC", (-90.0, 65.0), None, LookAlike("K", (150, 350)), ("mx2t",)
    ),
    Variable("tair_range", "diurnal range of air temperature", "degC", (0.0, 40.0)),
    Variable(
        "vpd",
        "vapour pressure deficit",
        "Pa",
        (0.0, 15000.0),
        "water_vapor_saturation_deficit_in_air",
        LookAlike("hPa or kPa", (1e-9, 100)),
        ("VPD_F", "VPD"),
    ),
    Variable("rh", "relative humidity", "%", (0.0, 105.0), "relative_humidity", LookAlike("1", (1e-9, 1.05)), ("RH",)),
    Variable(
        "specific_humidity",
        "specific humidity",
        "kg kg-1",
        (0.0, 0.06),
        "specific_humidity",
        LookAlike("g kg-1", (0.1, 60)),
        ("q",),
    ),
    Variable(
        "dewpoint", "dew point", "degC", (-90.0, 45.0), "dew_point_temperature", LookAlike("K", (150, 320)), ("d2m",)
    ),
    Variable(
        "patm",
        "air pressure",
        "Pa",
        (3e4, 1.1e5),
        "surface_air_pressure",
        LookAlike("hPa", (300, 1100)),
        ("PA_F", "PA", "sp"),
    ),
    Variable("wind", "wind speed", "m s-1", (0.0, 80.0), "wind_speed", None, ("WS_F", "WS")),
    Variable(
        "sw",
        "shortwave radiation, downward",
        "W m-2",
        (0.0, 1500.0),
        "surface_downwelling_shortwave_flux_in_air",
        LookAlike("MJ m-2 d-1", (1e-9, 50)),
        ("SW_IN_F", "SW_IN", "ssrd"),
    ),
    Variable(
        "sw_toa",
        "shortwave radiation at the top of the atmosphere",
        "W m-2",
        (0.0, 1500.0),
        "toa_incoming_shortwave_flux",
    ),
    Variable("ppfd", "photosynthetic photon flux density", "umol m-2 s-1", (0.0, 3500.0)),
    Variable(
        "precip",
        "precipitation",
        "mm d-1",
        (0.0, 2000.0),
        "lwe_precipitation_rate",
        LookAlike("kg m-2 s-1", (1e-12, 2e-3)),
        ("P_F", "P", "tp"),
    ),
    Variable("cos_zenith", "cosine of the solar zenith angle", "1", (-1.0, 1.0)),
    Variable("diffuse_fraction", "diffuse share of downward shortwave radiation", "1", (0.0, 1.0)),
    Variable("humidity", "relative humidity at the leaf surface", "1", (0.0, 2.0)),
    Variable(
        "boundary_conductance", "conductance of the leaf boundary layer for water vapour", "mol m-2 s-1", (1e-3, 20.0)
    ),
    Variable("g0", "residual stomatal conductance for water vapour", "mol m-2 s-1", (0.0, 1.0)),
    Variable("ci_guess", "guess of CO2 inside the leaf", "umol mol-1", (0.0, 2000.0)),
    Variable("conductance", "stomatal conductance for water vapour", "mol m-2 s-1", (0.0, 20.0)),
    Variable("transpiration", "transpiration", "kg m-2 s-1", (-1e-3, 1e-3), "transpiration_flux"),
    Variable("leaf_temperature", "leaf temperature", "degC", (-95.0, 75.0)),
    Variable("apar", "photosynthetically active radiation absorbed by leaves", "umol m-2 s-1", (0.0, 3500.0)),
    Variable("lai", "leaf area index", "m2 m-2", (0.0, 15.0), "leaf_area_index", None, ("Lai", "Lai_500m")),
    Variable("clumping", "clumping index", "1", (0.1, 1.0)),
    Variable("ca", "CO2 mole fraction of the air", "umol mol-1", (50.0, 2000.0), None, None, ("CO2_F_MDS", "CO2")),
    Variable("vcmax25", "maximum carboxylation rate at 25 degC", "umol m-2 s-1", (0.0, 400.0)),
    Variable("vcmax25_low", "5 % bound of the maximum carboxylation rate at 25 degC", "umol m-2 s-1", (0.0, 400.0)),
    Variable("vcmax25_high", "95 % bound of the maximum carboxylation rate at 25 degC", "umol m-2 s-1", (0.0, 400.0)),
    Variable("g1", "slope of the Ball-Berry relation", "1", (0.0, 30.0)),
    Variable("soil_water_stress", "soil-water stress factor (1 = none)", "1", (0.0, 1.0)),
    Variable("psi_exponent", "steepness of stomatal closure in dry soil", "1", (0.05, 10.0)),
    Variable("soil_water", "plant-available soil water over its capacity", "1", (0.0, 1.0)),
    Variable("igbp", "IGBP land cover class", "1", (0, 16)),
    Variable("pft_fraction", "area share of a plant functional type", "1", (0.0, 1.0)),
    Variable("c4_fraction", "share of C4 plants in grass and crop", "1", (0.0, 1.0)),
    Variable(
        "ndvi", "normalised difference vegetation index", "1", (-0.3, 1.0), "normalized_difference_vegetation_index"
    ),
    Variable("ndvi_min", "lowest NDVI of the year", "1", (-0.3, 1.0)),
    Variable("ndvi_max", "highest NDVI of the year", "1", (-0.3, 1.0)),
    Variable("precip_3m", "precipitation, mean of the month and the two before it", "mm d-1", (0.0, 2000.0)),
    Variable("precip_6m", "precipitation, mean of the month and the five before it", "mm d-1", (0.0, 2000.0)),
    Variable("precip_12m", "precipitation, mean of the month and the eleven before it", "mm d-1", (0.0, 2000.0)),
    Variable("tair_before", "air temperature of the month before", "degC", (-90.0, 65.0)),
    Variable("sw_before", "shortwave radiation of the month before", "W m-2", (0.0, 1500.0)),
    Variable("vpd_before", "vapour pressure deficit of the month before", "Pa", (0.0, 15000.0)),
    Variable("soil_water_before", "soil water of the month before over its capacity", "1", (0.0, 1.0)),
    Variable("lai_before", "leaf area index of the month before", "m2 m-2", (0.0, 15.0)),
    Variable("lai_relative", "leaf area index over that of the highest month of the mean year", "1", (0.0, 150.0)),
    Variable("tair_mean", "air temperature, normal", "degC", (-90.0, 65.0)),
    Variable("tair_coldest", "air temperature of the coldest month, normal", "degC", (-90.0, 65.0)),
    Variable("tair_growing", "air temperature of the growing season, normal", "degC", (-90.0, 65.0)),
    Variable("tair_seasonality", "air temperature of the warmest less the coldest month, normal", "degC", (0.0, 100.0)),
    Variable("tair_range_mean", "diurnal range of air temperature, normal", "degC", (0.0, 40.0)),
    Variable("precip_mean", "precipitation, normal", "mm d-1", (0.0, 2000.0)),
    Variable("aridity", "logarithm of precipitation over potential evaporation, normals", "1", (-10.0, 12.0)),
    Variable("vpd_growing", "vapour pressure deficit of the growing season, normal", "Pa", (0.0, 15000.0)),
    Variable("sw_growing", "shortwave radiation of the growing season, normal", "W m-2", (0.0, 1500.0)),
    Variable("soil_water_mean", "soil water over its capacity, normal", "1", (0.0, 1.0)),
    Variable("soil_water_growing", "soil water of the growing season over its capacity, normal", "1", (0.0, 1.0)),
    Variable("lai_mean", "leaf area index, normal", "m2 m-2", (0.0, 15.0)),
    Variable("lai_min", "leaf area index of the lowest month, normal", "m2 m-2", (0.0, 15.0)),
    Variable("lai_max", "leaf area index of the highest month, normal", "m2 m-2", (0.0, 15.0)),
    Variable("lst_day_excess", "land surface temperature by day less that of the air", "K", (-80.0, 100.0)),
    Variable("lst_night_excess", "land surface temperature by night less that of the air", "K", (-80.0, 80.0)),
    Variable("lst_excess_growing", "lst_day_excess of the growing season, normal", "K", (-80.0, 100.0)),
    Variable("fpar_max", "fpar of the highest month, normal", "1", (0.0, 1.0)),
    Variable("fpar_amplitude", "fpar of the highest less the lowest month, normals", "1", (0.0, 1.0)),
    Variable("ndwi_max", "ndwi of the highest month, normal", "1", (-1.0, 1.0)),
    Variable("ndwi_growing", "ndwi of the growing season, normal", "1", (-1.0, 1.0)),
    Variable("lai_modis_max", "leaf area index of MODIS of the highest month, normal", "m2 m-2", (0.0, 15.0)),
    Variable("lai_filled", "whether leaf area is the mean of other years of the month", "1", (0, 1)),
    Variable("fraction_wetland", "area share of permanent wetland", "1", (0.0, 1.0)),
    Variable("ndwi", "normalised difference water index", "1", (-1.0, 1.0)),
    Variable(
        "fpar", "fraction of photosynthetically active radiation absorbed", "1", (0.0, 1.0), None, None, ("Fpar",)
    ),
    Variable("lai_modis", "leaf area index of MODIS at the tower or cell", "m2 m-2", (0.0, 15.0), None, None, ("Lai",)),
    Variable(
        "lst_day",
        "land surface temperature by day",
        "K",
        (180.0, 360.0),
        None,
        LookAlike("degC", (-90, 85)),
        ("LST_Day",),
    ),
    Variable(
        "lst_night",
        "land surface temperature by night",
        "K",
        (180.0, 340.0),
        None,
        LookAlike("degC", (-90, 65)),
        ("LST_Night",),
    ),
    Variable("snow_cover", "snow-covered area share", "%", (0.0, 100.0)),
    Variable("surface_soil_moisture", "volumetric soil moisture of the surface", "m3 m-3", (0.0, 1.0)),
    Variable("skin_temperature", "skin temperature", "K", (180.0, 360.0), None, LookAlike("degC", (-90, 85)), ("skt",)),
    Variable("pet", "potential evapotranspiration", "mm d-1", (-1.0, 60.0)),
    Variable("par", "photosynthetically active radiation, downward", "W m-2", (0.0, 700.0)),
    Variable("par_diffuse", "diffuse photosynthetically active radiation, downward", "W m-2", (0.0, 700.0)),
    Variable("burned_fraction", "burned area share", "1", (0.0, 1.0)),
    Variable(
        "vcmax25_peak_c3",
        "maximum carboxylation rate at 25 degC of C3 leaves, peak of the season, from a map",
        "umol m-2 s-1",
        (0.0, 400.0),
    ),
    Variable("kn", "extinction of leaf nitrogen in the canopy", "1", (0.0, 5.0)),
    Variable("elevation", "elevation", "m", (-500.0, 9000.0), "surface_altitude", None, ("elev_m",)),
    Variable("elevation_coarse", "mean elevation of the 0.5 degree cell", "m", (-500.0, 9000.0)),
    Variable("soil_sand", "sand at 30 cm depth", "%", (0.0, 100.0)),
    Variable("soil_clay", "clay at 30 cm depth", "%", (0.0, 100.0)),
    Variable("soil_organic", "organic carbon at 30 cm depth", "5 g kg-1", (0.0, 250.0)),
    Variable("soil_field_capacity", "water content of the soil at 30 cm depth and field capacity", "%", (0.0, 100.0)),
    Variable("lat", "latitude", "degrees_north", (-90.0, 90.0), "latitude", None, ("latitude", "LOCATION_LAT")),
    Variable("lon", "longitude", "degrees_east", (-180.0, 360.0), "longitude", None, ("longitude", "LOCATION_LONG")),
)

VARIABLES = {variable.name: variable for variable in _TABLE}
"""Variables by name, with unit, valid range and CF name.

>>> from gppcore.variables import VARIABLES
>>> VARIABLES["vpd"].unit, VARIABLES["vpd"].valid_range
('Pa', (0.0, 15000.0))
"""

G_C_PER_UMOL = 12.011e-6
"""Grams of carbon in a micromole of CO2 (standard atomic weight 12.011)."""

CHECKS = ("raise", "warn", "ignore")
"""What becomes of values outside their valid range."""

SECONDS_PER_DAY = 86400.0

MONTHS = 12
"""Months of a year."""

DAYS_IN_MONTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
"""Days of the months of a mean year, January first."""


def check_range(name: str, values: ArrayLike, *, where: str = "") -> NDArray[Any]:
    """Return `values` as an array after checking them against the valid range; NaN passes.

    Parameters
    ----------
    name : str
        Name of the variable in the table.
    values : array_like
        Values in the table's unit.
    where : str, optional
        Where the values come from (a file, a tile), for the message.

    Raises
    ------
    UnitsError
        If values outside the range look like another unit (a temperature in K).
    RangeError
        If a value lies outside the valid range.

    Examples
    --------
    >>> from gppcore.errors import UnitsError
    >>> from gppcore.variables import check_range
    >>> check_range("tair", [21.0, 14.5])
    array([21. , 14.5])
    >>> try:
    ...     check_range("tair", [294.0, 287.5], where="era5.nc")
    ... except UnitsError as error:
    ...     print(error)
    tair in era5.nc: expected degC, got values up to 294, which look like K
    """
    variable, array = VARIABLES[name], np.asarray(values)
    if array.size == 0:
        return array
    low, high = _limits(array)
    if np.isinf(low) or np.isinf(high):
        raise RangeError(f"{name}{_at(where)}: expected finite values or NaN, got infinity")
    if low < variable.valid_range[0] or high > variable.valid_range[1]:
        _refuse_look_alike(variable, high, where)
        raise RangeError(
            f"{name}{_at(where)}: expected {variable.valid_range[0]:g} to {variable.valid_range[1]:g} "
            f"{variable.unit}, got {low:g} to {high:g}"
        )
    return array


def check_ranges(columns: Mapping[str, ArrayLike], check: str, *, where: str = "") -> None:
    """Check variables against their valid ranges; names that the table does not have pass.

    Parameters
    ----------
    columns : mapping of str to array_like
        Values by name.
    check : {"raise", "warn", "ignore"}
        What to do with values outside.
    where : str, optional
        Where the values come from, for the message.

    Raises
    ------
    RangeError, UnitsError
        With "raise", as :func:`check_range`; RangeError for an unknown option.
    """
    if check not in CHECKS:
        raise RangeError(f"check: expected one of {list(CHECKS)}, got {check!r}")
    if check == "ignore":
        return
    for name in set(columns) & set(VARIABLES):
        try:
            check_range(name, columns[name], where=where)
        except (RangeError, UnitsError) as error:
            if check == "raise":
                raise type(error)(f'{error}; convert the values, or pass check="ignore" if they are right') from None
            warnings.warn(str(error), RangeWarning, stacklevel=3)


def check_field(name: str, values: ArrayLike, *, where: str = "") -> NDArray[Any]:
    """Check a whole field or time series: the range, and whether all of it looks like another unit.

    Within the valid range, a wrong unit can only be recognised from many values together: a VPD that never exceeds
    100 over a year of a site is in hPa, not in Pa. Parameters and errors are those of :func:`check_range`.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore.errors import UnitsError
    >>> from gppcore.variables import check_field
    >>> try:
    ...     check_field("vpd", np.linspace(0.0, 31.0, 365), where="tower.csv")
    ... except UnitsError as error:
    ...     print(error)
    vpd in tower.csv: expected Pa, got values up to 31, which look like hPa or kPa
    """
    array = check_range(name, values, where=where)
    if array.size:
        _refuse_look_alike(VARIABLES[name], _limits(array)[1], where)
    return array


def _limits(array: NDArray[Any]) -> tuple[float, float]:
    """Return the extremes without NaN; (nan, nan) where all is NaN."""
    return float(np.fmin.reduce(array, axis=None)), float(np.fmax.reduce(array, axis=None))


def _refuse_look_alike(variable: Variable, high: float, where: str) -> None:
    suspect = variable.look_alike
    if suspect and suspect.maximum[0] <= high <= suspect.maximum[1]:
        raise UnitsError(
            f"{variable.name}{_at(where)}: expected {variable.unit}, got values up to {high:g}, "
            f"which look like {suspect.unit}"
        )


def check_unit(name: str, unit: str | None, *, where: str = "") -> None:
    """Check a unit given with the data against the table's; no unit given is accepted.

    Raises
    ------
    UnitsError
        If a unit is given and is not the table's.

    Examples
    --------
    >>> from gppcore.errors import UnitsError
    >>> from gppcore.variables import check_unit
    >>> check_unit("tair", "degC")
    >>> try:
    ...     check_unit("tair", "K")
    ... except UnitsError as error:
    ...     print(error)
    tair: expected degC, got K
    """
    expected = VARIABLES[name].unit
    if unit is not None and unit != expected:
        raise UnitsError(f"{name}{_at(where)}: expected {expected}, got {unit}")


def attributes(name: str, *, own_unit: str | None = None) -> dict[str, str]:
    """Return the CF attributes of a variable: long_name, units and, where CF has one, standard_name.

    A name that the table does not have needs `own_unit`.
    """
    if name not in VARIABLES and own_unit is not None:
        return {"long_name": name, "units": own_unit}
    variable = VARIABLES[name]
    attrs = {"long_name": variable.long_name, "units": variable.unit}
    if variable.standard_name:
        attrs["standard_name"] = variable.standard_name
    return attrs


def nomenclature() -> str:
    """Return the table as a page of Markdown."""
    lines = [
        "# Nomenclature",
        "",
        "This page lists every quantity of gppcore with its one name, one unit and valid range.",
        "",
        "It is made by `python -m gppcore.variables`. A value outside its range is refused; NaN passes as missing.",
        "Names of FLUXNET, ERA5 and MODIS stand beside ours to find them by; their units may differ.",
        "",
        "| name | quantity | unit | valid range | often mistaken unit | CF standard name | elsewhere |",
        "|---|---|---|---|---|---|---|",
    ]
    for v in _TABLE:
        low, high = v.valid_range
        mistaken = v.look_alike.unit if v.look_alike else ""
        name = f"`{v.standard_name}`" if v.standard_name else ""
        elsewhere = ", ".join(f"`{alias}`" for alias in v.aliases)
        lines.append(
            f"| `{v.name}` | {v.long_name} | {v.unit} | {low:g} to {high:g} | {mistaken} | {name} | {elsewhere} |"
        )
    return "\n".join(lines)


def _at(where: str) -> str:
    return f" in {where}" if where else ""


def cpp_header() -> str:
    """Return the table as a C++ header."""
    rows = (
        (v.name, v.unit, f"{v.valid_range[0]:.17g}", f"{v.valid_range[1]:.17g}", v.look_alike)
        for v in sorted(_TABLE, key=lambda v: v.name)
    )
    lines = [
        "// Made by `python -m gppcore.variables header` from src/gppcore/variables.py.",
        "#pragma once",
        "",
        "namespace gppcore {",
        "",
        "// Name, unit, valid range, and the unit that it is often given in with the range of a field's maximum there.",
        "struct Variable {",
        "  const char *name, *unit;",
        "  double low, high;",
        "  const char* look_alike;",
        "  double look_alike_low, look_alike_high;",
        "};",
        "",
        "constexpr Variable kVariables[] = {",
        *(
            f'    {{"{name}", "{unit}", {low}, {high}, '
            + (f'"{other.unit}", {other.maximum[0]:.17g}, {other.maximum[1]:.17g}' if other else "nullptr, 0, 0")
            + "},"
            for name, unit, low, high, other in rows
        ),
        "};",
        "",
        "}  // namespace gppcore",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(cpp_header() if sys.argv[1:] == ["header"] else nomenclature())
