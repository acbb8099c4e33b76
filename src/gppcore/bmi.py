"""The Basic Model Interface (BMI 2.0) of a transfer model: monthly GPP inside pymt and other frameworks of CSDMS."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from bmipy import Bmi
from numpy.typing import NDArray

from gppcore.errors import RangeError, ShapeError
from gppcore.io.reading import read_file
from gppcore.tiles.store import TileStore
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import DAYS_IN_MONTH, MONTHS, VARIABLES, check_ranges

__all__ = ["CSDMS_NAMES", "Gppcore"]

CSDMS_NAMES = {
    "gpp_daily": "vegetation__gross_primary_production_of_carbon",
    "gpp_daily_low": "vegetation__lower_bound_of_gross_primary_production_of_carbon",
    "gpp_daily_high": "vegetation__upper_bound_of_gross_primary_production_of_carbon",
    "tair": "atmosphere_bottom_air__temperature",
    "vpd": "atmosphere_bottom_air_water-vapor__vapor_pressure_deficit",
    "sw": "land_surface_radiation~incoming~shortwave__energy_flux",
    "sw_toa": "atmosphere_top_radiation~incoming~shortwave__energy_flux",
    "precip": "atmosphere_water__precipitation_leq-volume_flux",
    "lai": "vegetation_canopy_leaf__leaf-area_index",
    "soil_water": "soil_water__relative_plant-available_content",
    "c4_fraction": "vegetation_c4-plants__area_fraction",
    "ca": "atmosphere_bottom_air_carbon-dioxide__mole_fraction",
}
"""Names after the rules of the CSDMS Standard Names; other variables are ``vegetation__<own name>``.

>>> from gppcore.bmi import CSDMS_NAMES
>>> CSDMS_NAMES["lai"]
'vegetation_canopy_leaf__leaf-area_index'
"""

_KEYS = {"model", "tiles", "shape", "spacing", "origin", "months", "interval", "threads"}


class Gppcore(Bmi):
    r"""A transfer model that runs month by month on a uniform grid or on the cells of a tile store.

    `initialize` reads a TOML file with ``model`` (folder or zip) and either ``tiles`` (folder of a tile store, whose
    cells, months and predictors it takes) or ``shape`` (rows, columns), ``spacing`` and ``origin`` (latitude, longitude
    [degrees]) and ``months`` (their number) of a grid whose inputs other components set. ``interval = true`` adds the
    bounds of the prediction interval, ``threads`` sets their number. Paths are relative to the file.

    Time is in days from the begin of the first month, which has the length that it has in a mean year. Values set by
    `set_value` stay until they are set again; those of a tile store are read at the begin of each month. An input that
    nobody set is missing.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from gppcore import Forest, TransferModel
    >>> from gppcore.bmi import Gppcore
    >>> stump = {"feature": [0, -1, -1], "threshold": [15.0, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> forest = Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 1.0, 5.0], **stump)
    >>> TransferModel.of_forest(forest, ["tair"]).save("model.zip")
    >>> grid = 'shape = [1, 2]\nspacing = [0.5, 0.5]\norigin = [40.0, 10.0]\nmonths = 12\n'
    >>> _ = Path("run.toml").write_text('model = "model.zip"\n' + grid)
    >>> component = Gppcore()
    >>> component.initialize("run.toml")
    >>> component.set_value("atmosphere_bottom_air__temperature", np.array([9.0, 21.0]))
    >>> component.update()
    >>> component.get_value_ptr("vegetation__gross_primary_production_of_carbon")
    array([1., 5.])
    """

    def initialize(self, config_file: str) -> None:
        """Read the configuration and the model."""
        path = Path(config_file)
        config = tomllib.loads(read_file(path, RangeError).decode())
        if wrong := sorted(set(config) - _KEYS) or sorted({"model"} - set(config)):
            raise RangeError(f"{path}: expected keys of {sorted(_KEYS)}, among them model, got or missed {wrong[0]!r}")
        if ("tiles" in config) == ("shape" in config):
            raise RangeError(f"{path}: expected either tiles or shape, got {sorted(config)}")
        self._model = TransferModel.load(path.parent / config["model"])
        self._store = TileStore.open(path.parent / config["tiles"]) if "tiles" in config else None
        self._threads = int(config.get("threads", 1))
        outputs = ("gpp_daily", "gpp_daily_low", "gpp_daily_high")
        self._outputs = outputs if config.get("interval", False) else outputs[:1]
        if self._store is None:
            self._shape = tuple(int(n) for n in config["shape"])
            self._spacing = np.array(config.get("spacing", (1.0, 1.0)), float)
            self._origin = np.array(config.get("origin", (0.0, 0.0)), float)
            if (
                len(self._shape) != 2
                or min(self._shape) < 1
                or self._spacing.shape != (2,)
                or self._origin.shape != (2,)
            ):
                raise ShapeError(f"{path}: expected shape, spacing and origin of two numbers each")
            self._months = int(config.get("months", MONTHS))
        else:
            self._shape = (self._store.index.size,)
            self._months = MONTHS * len(self._store.each_year)
        self._names = {CSDMS_NAMES.get(n, f"vegetation__{n}"): n for n in (*self._model.predictors, *self._outputs)}
        self._values = {own: np.full(int(np.prod(self._shape)), np.nan) for own in self._names.values()}
        self._month = 0
        self._read_month()

    def _read_month(self) -> None:
        if self._store is None or self._month >= self._months:
            return
        for name in self._model.predictors:
            month = self._month if self._store.is_monthly(name) else None
            self._values[name][:] = self._store.read_field(name, month)

    def update(self) -> None:
        """Predict the GPP of one month."""
        if self._month >= self._months:
            raise RangeError(f"update: expected at most {self._months} months, got one more")
        columns = {name: self._values[name] for name in self._model.predictors}
        check_ranges(columns, "raise", where="inputs")
        found = self._model.predict_columns(
            list(columns.values()), interval=len(self._outputs) > 1, n_threads=self._threads
        )
        for name, part in zip(self._outputs, found if len(self._outputs) > 1 else (found,), strict=True):
            self._values[name][:] = part
        self._month += 1
        self._read_month()

    def update_until(self, time: float) -> None:
        """Run whole months until a time in days, which must not lie in the past."""
        if time < self.get_current_time() or time > self.get_end_time() + 1e-6:
            now, end = self.get_current_time(), self.get_end_time()
            raise RangeError(f"time: expected {now:g} to {end:g} days, got {time:g}")
        while self._end_of(self._month + 1) <= time + 1e-6 and self._month < self._months:
            self.update()

    def finalize(self) -> None:
        """Forget model, store and values."""
        for name in ("_model", "_store", "_values"):
            delattr(self, name)

    @staticmethod
    def _end_of(months: int) -> float:
        years, rest = divmod(months, MONTHS)
        return float(years * DAYS_IN_MONTH.sum() + DAYS_IN_MONTH[:rest].sum())

    def get_component_name(self) -> str:
        """Name of the component."""
        return "gppcore transfer model"

    def get_input_item_count(self) -> int:
        """Return the number of inputs."""
        return len(self._model.predictors)

    def get_output_item_count(self) -> int:
        """Return the number of outputs."""
        return len(self._outputs)

    def get_input_var_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the names of the predictors."""
        return tuple(name for name, own in self._names.items() if own in self._model.predictors)

    def get_output_var_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the names of GPP and of its bounds."""
        return tuple(name for name, own in self._names.items() if own in self._outputs)

    def _own(self, name: str) -> str:
        if name not in self._names:
            raise RangeError(f"name: expected one of {list(self._names)}, got {name!r}")
        return str(self._names[name])

    def get_var_grid(self, name: str) -> int:
        """Return the grid of a variable: 0."""
        self._own(name)
        return 0

    def get_var_type(self, name: str) -> str:
        """Type of a variable."""
        return str(self._values[self._own(name)].dtype)

    def get_var_units(self, name: str) -> str:
        """Return the unit of a variable."""
        own = self._own(name)
        return str(VARIABLES[own].unit) if own in VARIABLES else "1"

    def get_var_itemsize(self, name: str) -> int:
        """Bytes of one value."""
        return self._values[self._own(name)].itemsize

    def get_var_nbytes(self, name: str) -> int:
        """Bytes of all values."""
        return self._values[self._own(name)].nbytes

    def get_var_location(self, name: str) -> str:
        """Where values lie: at nodes."""
        self._own(name)
        return "node"

    def get_current_time(self) -> float:
        """Days since the begin of the first month."""
        return self._end_of(self._month)

    def get_start_time(self) -> float:
        """Begin of the first month."""
        return 0.0

    def get_end_time(self) -> float:
        """End of the last month."""
        return self._end_of(self._months)

    def get_time_units(self) -> str:
        """Return the unit of time."""
        return "d"

    def get_time_step(self) -> float:
        """Length of the current month; of the last one at the end."""
        return float(DAYS_IN_MONTH[min(self._month, self._months - 1) % MONTHS])

    def get_value(self, name: str, dest: NDArray[Any]) -> NDArray[Any]:
        """Copy the values of a variable to `dest`, flat."""
        dest[:] = self._values[self._own(name)]
        return dest

    def get_value_ptr(self, name: str) -> NDArray[Any]:
        """Return the values themselves; they stay at one place."""
        return self._values[self._own(name)]

    def get_value_at_indices(self, name: str, dest: NDArray[Any], inds: NDArray[np.int_]) -> NDArray[Any]:
        """Copy some values of a variable to `dest`."""
        dest[:] = self._values[self._own(name)].take(inds)
        return dest

    def set_value(self, name: str, src: NDArray[Any]) -> None:
        """Set all values of a variable, which come in any shape of the right size."""
        values = self._values[self._own(name)]
        given = np.asarray(src)
        if given.size not in (1, values.size):
            raise ShapeError(f"{name}: expected {values.size} values, got {given.size}")
        values[:] = given.reshape(-1)

    def set_value_at_indices(self, name: str, inds: NDArray[np.int_], src: NDArray[Any]) -> None:
        """Set some values of a variable."""
        self._values[self._own(name)][inds] = src

    def get_grid_rank(self, grid: int) -> int:
        """Return the number of dimensions: 2, or 1 for the cells of a store."""
        return len(self._shape)

    def get_grid_size(self, grid: int) -> int:
        """Return the number of nodes."""
        return int(np.prod(self._shape))

    def get_grid_type(self, grid: int) -> str:
        """Type of the grid: points for the cells of a store."""
        return "uniform_rectilinear" if self._store is None else "points"

    def _uniform(self, what: str) -> None:
        if self._store is not None:
            raise NotImplementedError(f"{what}: the cells of a tile store are points")

    def get_grid_shape(self, grid: int, shape: NDArray[np.int_]) -> NDArray[np.int_]:
        """Rows and columns."""
        self._uniform("get_grid_shape")
        shape[:] = self._shape
        return shape

    def get_grid_spacing(self, grid: int, spacing: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance of rows and columns in degrees."""
        self._uniform("get_grid_spacing")
        spacing[:] = self._spacing
        return spacing

    def get_grid_origin(self, grid: int, origin: NDArray[np.float64]) -> NDArray[np.float64]:
        """Latitude and longitude of the first node."""
        self._uniform("get_grid_origin")
        origin[:] = self._origin
        return origin

    def _axis(self, axis: int) -> NDArray[np.float64]:
        return np.asarray(self._origin[axis] + self._spacing[axis] * np.arange(self._shape[axis]))

    def get_grid_x(self, grid: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Longitudes: of the columns, or of the cells of a store."""
        store = self._store
        x[:] = self._axis(1) if store is None else store.lon[store.index % store.lon.size]
        return x

    def get_grid_y(self, grid: int, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Latitudes: of the rows, or of the cells of a store."""
        store = self._store
        y[:] = self._axis(0) if store is None else store.lat[store.index // store.lon.size]
        return y

    def get_grid_z(self, grid: int, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Refuse: grids have no height."""
        raise NotImplementedError("get_grid_z")

    def get_grid_node_count(self, grid: int) -> int:
        """Return the number of nodes."""
        return self.get_grid_size(grid)

    def get_grid_edge_count(self, grid: int) -> int:
        """Refuse: grids have nodes alone."""
        raise NotImplementedError("get_grid_edge_count")

    def get_grid_face_count(self, grid: int) -> int:
        """Refuse: grids have nodes alone."""
        raise NotImplementedError("get_grid_face_count")

    def get_grid_edge_nodes(self, grid: int, edge_nodes: NDArray[np.int_]) -> NDArray[np.int_]:
        """Refuse: grids have nodes alone."""
        raise NotImplementedError("get_grid_edge_nodes")

    def get_grid_face_edges(self, grid: int, face_edges: NDArray[np.int_]) -> NDArray[np.int_]:
        """Refuse: grids have nodes alone."""
        raise NotImplementedError("get_grid_face_edges")

    def get_grid_face_nodes(self, grid: int, face_nodes: NDArray[np.int_]) -> NDArray[np.int_]:
        """Refuse: grids have nodes alone."""
        raise NotImplementedError("get_grid_face_nodes")

    def get_grid_nodes_per_face(self, grid: int, nodes_per_face: NDArray[np.int_]) -> NDArray[np.int_]:
        """Refuse: grids have nodes alone."""
        raise NotImplementedError("get_grid_nodes_per_face")
