"""Vapour pressure deficit where a file has another measure of humidity in its place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gppcore.process.simulate.humidity import deficit, deficit_of_daylight, of_days
from gppcore.towers.files.clock import Clock
from gppcore.towers.files.columns import PER_DAY
from gppcore.towers.files.sun import Place

Float = NDArray[np.float64]


def deficit_of_humidity(known: dict[str, Float], clock: Clock, place: Place | None) -> tuple[str, NDArray[np.bool_]]:
    """Fill the deficit from relative humidity, else from specific humidity and pressure, and temperature.

    Parameters
    ----------
    known : dict of str to ndarray, shape (n,)
        Quantities in our units, to which `vpd` is added. Days need `tmin` and `tmax`, humidity as the mean of 24
        hours, and get the mean deficit of daylight; longer means do not follow from means.
    clock : Clock
        Time of the rows.
    place : Place, optional
        Where the tower stands; days need it.

    Returns
    -------
    tuple
        The quantity that was used, and which values were filled, ndarray of bool of shape (n,).
    """
    n, short = len(clock.start), PER_DAY[clock.step] > 1
    name = "rh" if "rh" in known else "specific_humidity"
    needed = {name, *(("tair",) if short else ("tmin", "tmax")), *(("patm",) if name != "rh" else ())}
    if not needed <= set(known) or not (short or (clock.step == "DD" and place is not None)):
        return name, np.zeros(n, dtype=bool)
    humidity = {part: known[part] for part in (name, "patm") if part in known}
    if short:
        missing = deficit(humidity, known["tair"])
    else:
        assert place is not None
        tair, span = (known["tmin"] + known["tmax"]) / 2.0, known["tmax"] - known["tmin"]
        vapour = of_days(humidity, tair, span)["vapour_pressure"]
        day = clock.start.day_of_year.to_numpy() + 0.5
        missing = deficit_of_daylight(vapour, tair, span, np.full(n, place.lat), day)
    measured = known.get("vpd", np.full(n, np.nan))
    known["vpd"] = np.where(np.isnan(measured), missing, measured)
    return name, np.isnan(measured) & np.isfinite(missing)
