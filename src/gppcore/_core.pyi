"""
Compiled kernels of gppcore; use them through gppcore.process.two_leaf, gppcore.regrid, gppcore.forest.forest and gppcore.transfer.model.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Forest', 'LeafParameters', 'Model', 'TruncationGuard', 'TwoLeafParameters', 'aggregate', 'downscale_bilinear', 'downscale_conservative', 'downscale_covariate', 'downscale_smooth', 'end_after_interrupt', 'end_process', 'end_with_parent', 'isa', 'leaf_gas_exchange', 'map_file', 'open_file', 'read_recipe', 'regrid', 'soil_water', 'supported_isas', 'sync_file', 'two_leaf', 'two_leaf_gradient', 'write_recipe']
class TwoLeafParameters:
    def __init__(self, *, g0: typing.SupportsFloat | typing.SupportsIndex, albedo: typing.SupportsFloat | typing.SupportsIndex, height_overstory: typing.SupportsFloat | typing.SupportsIndex, height_understory: typing.SupportsFloat | typing.SupportsIndex, stem_area_overstory: typing.SupportsFloat | typing.SupportsIndex, stem_area_understory: typing.SupportsFloat | typing.SupportsIndex, understory: bool, c4: bool, mode: str, leaf_temperature: bool, gross: bool) -> None:
        ...
class LeafParameters:
    def __init__(self, *, c4: bool, mode: str, biochemistry: str) -> None:
        ...
class Forest:
    """
    An additive ensemble of regression trees; use gppcore.Forest.
    """
    @staticmethod
    def from_arrays(n_features: typing.SupportsInt | typing.SupportsIndex, n_outputs: typing.SupportsInt | typing.SupportsIndex, leaf_width: typing.SupportsInt | typing.SupportsIndex, link: typing.SupportsInt | typing.SupportsIndex, link_scale: typing.SupportsFloat | typing.SupportsIndex, base: numpy.typing.NDArray[numpy.float64], tree_begin: numpy.typing.NDArray[numpy.int64], tree_output: numpy.typing.NDArray[numpy.int32], feature: numpy.typing.NDArray[numpy.int32], left: numpy.typing.NDArray[numpy.int32], right: numpy.typing.NDArray[numpy.int32], threshold: numpy.typing.NDArray[numpy.float64], value: numpy.typing.NDArray[numpy.float64], flags: numpy.typing.NDArray[numpy.uint8], set_begin: numpy.typing.NDArray[numpy.int64], set_words: numpy.typing.NDArray[numpy.uint32], feature_names: collections.abc.Sequence[str]) -> Forest:
        """
        Copies and checks the nodes.
        """
    @staticmethod
    def from_bytes(data: bytes) -> Forest:
        """
        Copies and checks the bytes of a .gppf file.
        """
    @staticmethod
    def load(path: str) -> Forest:
        """
        Maps a .gppf file.
        """
    def apply_f32(self, columns: list[numpy.typing.NDArray[numpy.float32]], out: numpy.typing.NDArray[numpy.int32], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Writes the leaf that each row reaches in each tree to out (n, n_trees).
        """
    def apply_f64(self, columns: list[numpy.typing.NDArray[numpy.float64]], out: numpy.typing.NDArray[numpy.int32], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Writes the leaf that each row reaches in each tree to out (n, n_trees).
        """
    def predict_f32(self, columns: list[numpy.typing.NDArray[numpy.float32]], out: numpy.typing.NDArray[numpy.float32], raw: bool, n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Predicts from one array, or one value, per feature to out (n_steps, n, n_outputs).
        """
    def predict_f64(self, columns: list[numpy.typing.NDArray[numpy.float64]], out: numpy.typing.NDArray[numpy.float64], raw: bool, n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Predicts from one array, or one value, per feature to out (n_steps, n, n_outputs).
        """
    def refit_leaves_f32(self, columns: list[numpy.typing.NDArray[numpy.float32]], y: numpy.typing.NDArray[numpy.float64], weight: numpy.typing.NDArray[numpy.float64], shrinkage: typing.SupportsFloat | typing.SupportsIndex, rate: typing.SupportsFloat | typing.SupportsIndex, n_threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        """
        Returns the values of all nodes after each tree has moved its leaves towards y (n, n_outputs).
        """
    def refit_leaves_f64(self, columns: list[numpy.typing.NDArray[numpy.float64]], y: numpy.typing.NDArray[numpy.float64], weight: numpy.typing.NDArray[numpy.float64], shrinkage: typing.SupportsFloat | typing.SupportsIndex, rate: typing.SupportsFloat | typing.SupportsIndex, n_threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float64]:
        """
        Returns the values of all nodes after each tree has moved its leaves towards y (n, n_outputs).
        """
    def save(self, path: str) -> None:
        """
        Writes a .gppf file.
        """
    @property
    def base(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def feature(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def feature_names(self) -> list[str]:
        ...
    @property
    def flags(self) -> numpy.typing.NDArray[numpy.uint8]:
        ...
    @property
    def leaf_width(self) -> int:
        ...
    @property
    def left(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def link(self) -> int:
        ...
    @property
    def link_scale(self) -> float:
        ...
    @property
    def n_features(self) -> int:
        ...
    @property
    def n_leaves(self) -> int:
        ...
    @property
    def n_outputs(self) -> int:
        ...
    @property
    def n_trees(self) -> int:
        ...
    @property
    def right(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def set_begin(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def set_words(self) -> numpy.typing.NDArray[numpy.uint32]:
        ...
    @property
    def threshold(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def tree_begin(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def tree_output(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def value(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
class Model:
    """
    Forests and the recipe that joins them; use gppcore.transfer.model.Model.
    """
    @staticmethod
    def load(folder: str) -> Model:
        """
        Reads a folder.
        """
    def __init__(self, recipe: tuple[collections.abc.Sequence[str], collections.abc.Sequence[str], collections.abc.Sequence[tuple[str, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex] | None, collections.abc.Sequence[tuple[str, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]]], sources: collections.abc.Sequence[Forest], members: collections.abc.Sequence[Forest]) -> None:
        ...
    def predict_f32(self, columns: list[numpy.typing.NDArray[numpy.float32]], out: numpy.typing.NDArray[numpy.float32], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Predicts from one array, or one value, per predictor to out (1 or 3, n_steps, n).
        """
    def predict_f64(self, columns: list[numpy.typing.NDArray[numpy.float64]], out: numpy.typing.NDArray[numpy.float64], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Predicts from one array, or one value, per predictor to out (1 or 3, n_steps, n).
        """
    def save(self, folder: str) -> None:
        """
        Writes to a folder.
        """
    @property
    def members(self) -> list[Forest]:
        ...
    @property
    def recipe(self) -> tuple[list[str], list[str], list[tuple[str, int, int, float, float]], float, float, tuple[float, float, float, float] | None, list[tuple[str, float, float]]]:
        ...
    @property
    def sources(self) -> list[Forest]:
        ...
class TruncationGuard:
    """
    For as long as it exists, mapped files may be cut short: they read as NaN from there on.
    """
    def __init__(self) -> None:
        ...
    def check(self) -> None:
        """
        Raises ForestFormatError if a mapped file was cut short.
        """
@typing.overload
def aggregate(fine: numpy.typing.NDArray[numpy.float32], factor: typing.SupportsInt | typing.SupportsIndex, row_area: numpy.typing.NDArray[numpy.float64], min_valid: typing.SupportsFloat | typing.SupportsIndex, coarse: numpy.typing.NDArray[numpy.float32], fraction: numpy.typing.NDArray[numpy.float32] | None, n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Area-weighted mean of the valid fine cells (lat, lon), written to coarse.
    """
@typing.overload
def aggregate(fine: numpy.typing.NDArray[numpy.float64], factor: typing.SupportsInt | typing.SupportsIndex, row_area: numpy.typing.NDArray[numpy.float64], min_valid: typing.SupportsFloat | typing.SupportsIndex, coarse: numpy.typing.NDArray[numpy.float64], fraction: numpy.typing.NDArray[numpy.float64] | None, n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Area-weighted mean of the valid fine cells (lat, lon), written to coarse.
    """
@typing.overload
def downscale_bilinear(coarse: numpy.typing.NDArray[numpy.float32], factor: typing.SupportsInt | typing.SupportsIndex, periodic_lon: bool, fine: numpy.typing.NDArray[numpy.float32], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Linear between the centres of valid coarse cells.
    """
@typing.overload
def downscale_bilinear(coarse: numpy.typing.NDArray[numpy.float64], factor: typing.SupportsInt | typing.SupportsIndex, periodic_lon: bool, fine: numpy.typing.NDArray[numpy.float64], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Linear between the centres of valid coarse cells.
    """
@typing.overload
def downscale_conservative(coarse: numpy.typing.NDArray[numpy.float32], factor: typing.SupportsInt | typing.SupportsIndex, fine: numpy.typing.NDArray[numpy.float32], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Each fine cell takes its coarse cell's value.
    """
@typing.overload
def downscale_conservative(coarse: numpy.typing.NDArray[numpy.float64], factor: typing.SupportsInt | typing.SupportsIndex, fine: numpy.typing.NDArray[numpy.float64], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Each fine cell takes its coarse cell's value.
    """
@typing.overload
def downscale_covariate(coarse: numpy.typing.NDArray[numpy.float32], factor: typing.SupportsInt | typing.SupportsIndex, covariate: numpy.typing.NDArray[numpy.float32], row_area: numpy.typing.NDArray[numpy.float64], fine: numpy.typing.NDArray[numpy.float32], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    coarse * covariate / (area-weighted mean covariate of the coarse cell).
    """
@typing.overload
def downscale_covariate(coarse: numpy.typing.NDArray[numpy.float64], factor: typing.SupportsInt | typing.SupportsIndex, covariate: numpy.typing.NDArray[numpy.float64], row_area: numpy.typing.NDArray[numpy.float64], fine: numpy.typing.NDArray[numpy.float64], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    coarse * covariate / (area-weighted mean covariate of the coarse cell).
    """
@typing.overload
def downscale_smooth(coarse: numpy.typing.NDArray[numpy.float32], factor: typing.SupportsInt | typing.SupportsIndex, periodic_lon: bool, row_area: numpy.typing.NDArray[numpy.float64], fine: numpy.typing.NDArray[numpy.float32], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Bilinear surface whose mean over every coarse cell is its value.
    """
@typing.overload
def downscale_smooth(coarse: numpy.typing.NDArray[numpy.float64], factor: typing.SupportsInt | typing.SupportsIndex, periodic_lon: bool, row_area: numpy.typing.NDArray[numpy.float64], fine: numpy.typing.NDArray[numpy.float64], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Bilinear surface whose mean over every coarse cell is its value.
    """
def end_after_interrupt(seconds: typing.SupportsFloat | typing.SupportsIndex, message: bytes, code: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Ends the process this long after Ctrl-C, whose handler must have been set by Python.
    """
def end_process(message: bytes, code: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Writes to standard error and ends the process; of two threads the first one alone.
    """
def end_with_parent() -> None:
    """
    Ends this process when the thread that started it ends (Linux).
    """
def isa() -> str:
    """
    Name of the instruction set in use.
    """
@typing.overload
def leaf_gas_exchange(leaf: LeafParameters, inputs: list[numpy.typing.NDArray[numpy.float64] | None], limits: collections.abc.Sequence[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], out: list[numpy.typing.NDArray[numpy.float64] | None], shape: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], n_threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Single leaves at a given humidity.
    """
@typing.overload
def leaf_gas_exchange(leaf: LeafParameters, inputs: list[numpy.typing.NDArray[numpy.float32] | None], limits: collections.abc.Sequence[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], out: list[numpy.typing.NDArray[numpy.float32] | None], shape: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], n_threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Single leaves at a given humidity.
    """
def map_file(path: str) -> numpy.typing.NDArray[numpy.uint8]:
    """
    The bytes of a regular file, mapped read-only.
    """
def open_file(path: bytes, flags: typing.SupportsInt | typing.SupportsIndex, permissions: typing.SupportsInt | typing.SupportsIndex) -> typing.Any:
    """
    A file as io.FileIO, opened with the flags of os.open; the path is encoded.
    """
def read_recipe(path: str) -> tuple[list[str], list[str], list[tuple[str, int, int, float, float]], float, float, tuple[float, float, float, float] | None, list[tuple[str, float, float]]]:
    """
    Reads a .gppm file.
    """
@typing.overload
def regrid(source: numpy.typing.NDArray[numpy.float32], lat: tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int64], typing.Annotated[numpy.typing.ArrayLike, numpy.int64], typing.Annotated[numpy.typing.ArrayLike, numpy.float64], typing.Annotated[numpy.typing.ArrayLike, numpy.float64]], lon: tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int64], typing.Annotated[numpy.typing.ArrayLike, numpy.int64], typing.Annotated[numpy.typing.ArrayLike, numpy.float64], typing.Annotated[numpy.typing.ArrayLike, numpy.float64]], min_valid: typing.SupportsFloat | typing.SupportsIndex, mean: numpy.typing.NDArray[numpy.float32], fraction: numpy.typing.NDArray[numpy.float32] | None, n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Weighted mean of the valid source cells of every target cell.
    """
@typing.overload
def regrid(source: numpy.typing.NDArray[numpy.float64], lat: tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int64], typing.Annotated[numpy.typing.ArrayLike, numpy.int64], typing.Annotated[numpy.typing.ArrayLike, numpy.float64], typing.Annotated[numpy.typing.ArrayLike, numpy.float64]], lon: tuple[typing.Annotated[numpy.typing.ArrayLike, numpy.int64], typing.Annotated[numpy.typing.ArrayLike, numpy.int64], typing.Annotated[numpy.typing.ArrayLike, numpy.float64], typing.Annotated[numpy.typing.ArrayLike, numpy.float64]], min_valid: typing.SupportsFloat | typing.SupportsIndex, mean: numpy.typing.NDArray[numpy.float64], fraction: numpy.typing.NDArray[numpy.float64] | None, n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Weighted mean of the valid source cells of every target cell.
    """
def soil_water(precip: numpy.typing.NDArray[numpy.float64], evaporation: numpy.typing.NDArray[numpy.float64], tair: numpy.typing.NDArray[numpy.float64], capacity: typing.SupportsFloat | typing.SupportsIndex, melt_per_degree: typing.SupportsFloat | typing.SupportsIndex, days_in_step: typing.SupportsFloat | typing.SupportsIndex, steps_in_time: typing.SupportsInt | typing.SupportsIndex, spin_up_times: typing.SupportsInt | typing.SupportsIndex, spin_ups: typing.SupportsInt | typing.SupportsIndex, out: numpy.typing.NDArray[numpy.float64], n_threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Mean soil water of every time relative to the capacity (times, n), written to out.
    """
def supported_isas() -> list[str]:
    """
    Instruction sets that this CPU can run, best last.
    """
def sync_file(path: bytes) -> None:
    """
    Writes a file or a folder to the disk.
    """
@typing.overload
def two_leaf(pft: TwoLeafParameters, inputs: list[numpy.typing.NDArray[numpy.float64] | None], limits: collections.abc.Sequence[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], out: list[numpy.typing.NDArray[numpy.float64] | None], shape: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], n_threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Canopy hours; returns the index of an input out of its limits, or -1.
    """
@typing.overload
def two_leaf(pft: TwoLeafParameters, inputs: list[numpy.typing.NDArray[numpy.float32] | None], limits: collections.abc.Sequence[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], out: list[numpy.typing.NDArray[numpy.float32] | None], shape: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], n_threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Canopy hours; returns the index of an input out of its limits, or -1.
    """
@typing.overload
def two_leaf_gradient(pft: TwoLeafParameters, inputs: list[numpy.typing.NDArray[numpy.float64] | None], limits: collections.abc.Sequence[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], out: list[numpy.typing.NDArray[numpy.float64] | None], by: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], derivatives: list[numpy.typing.NDArray[numpy.float64] | None], shape: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], n_threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Canopy hours with derivatives of GPP by four inputs.
    """
@typing.overload
def two_leaf_gradient(pft: TwoLeafParameters, inputs: list[numpy.typing.NDArray[numpy.float32] | None], limits: collections.abc.Sequence[tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], out: list[numpy.typing.NDArray[numpy.float32] | None], by: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], derivatives: list[numpy.typing.NDArray[numpy.float32] | None], shape: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex], n_threads: typing.SupportsInt | typing.SupportsIndex) -> int:
    """
    Canopy hours with derivatives of GPP by four inputs.
    """
def write_recipe(path: str, recipe: tuple[collections.abc.Sequence[str], collections.abc.Sequence[str], collections.abc.Sequence[tuple[str, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]], typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex] | None, collections.abc.Sequence[tuple[str, typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex]]]) -> None:
    """
    Writes a .gppm file.
    """
