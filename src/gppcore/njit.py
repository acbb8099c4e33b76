"""Forests, transfer models and the two-leaf model inside functions that numba compiles, also in ``prange``.

The functions below are nopython functions that call the C interface without the interpreter lock. Numba caches what
uses them across processes: the library is loaded when this module is imported, or by numba itself (entry point
``numba_extensions``).
"""

from __future__ import annotations

import ctypes
import weakref
from os import fspath
from typing import Any

import llvmlite.binding
import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from gppcore.constants import PFTS
from gppcore.errors import KernelError, RangeError
from gppcore.forest import Forest
from gppcore.process.two_leaf import INPUTS
from gppcore.runtime import get_library
from gppcore.transfer.transfer_model import TransferModel

__all__ = [
    "Handle",
    "forest_workspace",
    "free_workspace",
    "model_workspace",
    "pft_parameters",
    "predict_forest",
    "predict_model",
    "two_leaf",
]

_LIBRARY = ctypes.CDLL(get_library())
_LIBRARY.gpp_last_error.restype = ctypes.c_char_p
for _kind in ("forest", "model"):
    getattr(_LIBRARY, f"gpp_{_kind}_free").argtypes = [ctypes.c_void_p]


def register() -> None:
    """Make the functions of the library known to code that numba compiles or takes from its cache."""
    llvmlite.binding.load_library_permanently(get_library())


register()


class Handle:
    """A forest or a transfer model for compiled code: `address` is what nopython functions take.

    The address is valid as long as the handle exists.

    Parameters
    ----------
    trained : Forest, TransferModel or path
        A path ends with .gppf for a forest, else it is the folder or zip of a model.

    Raises
    ------
    KernelError
        If the library refuses it, with its message.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import Forest
    >>> from gppcore.njit import Handle, forest_workspace, free_workspace, predict_forest
    >>> stump = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> handle = Handle(Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 1.0, 2.0], **stump))
    >>> work, out = forest_workspace(handle.address), np.empty(2)
    >>> predict_forest(handle.address, work, np.array([[0.2], [0.8]]), out)
    >>> free_workspace(work)
    >>> out
    array([1., 2.])
    """

    def __init__(self, trained: Forest | TransferModel | str) -> None:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="gppcore-") as folder:
            if isinstance(trained, Forest | TransferModel):
                path = f"{folder}/trained" + (".gppf" if isinstance(trained, Forest) else "")
                trained.save(path)
            else:
                path = fspath(trained)
            kind = "forest" if path.endswith(".gppf") else "model"
            handle = ctypes.c_void_p()
            if getattr(_LIBRARY, f"gpp_{kind}_load")(path.encode(), ctypes.byref(handle)):
                raise KernelError(f"Handle: {_LIBRARY.gpp_last_error().decode()}")
        self.address = np.uintp(handle.value or 0)
        self._free = weakref.finalize(self, getattr(_LIBRARY, f"gpp_{kind}_free"), handle)


class _Pft(ctypes.Structure):
    _NUMBERS = ("vcmax25", "clumping", "g1", "g0", "albedo", "height_overstory", "height_understory")
    _REST = ("stem_area_overstory", "stem_area_understory", "psi_min", "psi_exponent")
    _fields_ = [
        ("size", ctypes.c_int64),
        *((name, ctypes.c_double) for name in (*_NUMBERS, *_REST)),
        ("understory", ctypes.c_int32),
        ("c4", ctypes.c_int32),
    ]


def pft_parameters(name: str) -> NDArray[np.uint8]:
    """Return the parameters of a plant functional type, as the bytes that :func:`two_leaf` takes.

    Raises
    ------
    RangeError
        If there is no such type.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore.njit import pft_parameters, two_leaf
    >>> from gppcore.process.two_leaf import INPUTS
    >>> inputs = np.full((len(INPUTS), 1), np.nan)  # absent
    >>> given = {"sw": 600.0, "tair": 22.0, "vpd": 1000.0, "cos_zenith": 0.8, "ca": 410.0, "lai": 3.0}
    >>> for name, value in given.items():
    ...     inputs[INPUTS.index(name)] = value
    >>> out = np.empty((2, 1))
    >>> two_leaf(pft_parameters("dbf"), inputs, out)
    >>> out.sum(axis=0).round(1)
    array([21.2])
    """
    if name not in PFTS:
        raise RangeError(f"name: expected one of {list(PFTS)}, got {name!r}")
    parameters = _Pft(size=ctypes.sizeof(_Pft))
    _LIBRARY.gpp_pft(name.encode(), ctypes.byref(parameters))
    return np.frombuffer(bytes(parameters), np.uint8).copy()


_pointer: Any = types.voidptr
_int: Any = types.int32
_nothing: Any = types.void
_external: Any = types.ExternalFunction
_forest_workspace_new: Any = _external("gpp_workspace_new", _int(types.uintp, _pointer))
_model_workspace_new: Any = _external("gpp_model_workspace_new", _int(types.uintp, _pointer))
_workspace_free: Any = _external("gpp_workspace_free", _nothing(types.uintp))
_forest: Any = _external(
    "gpp_forest_predict_f64", _int(types.uintp, types.uintp, _pointer, types.int64, types.int64, _int, _pointer)
)
_model: Any = _external(
    "gpp_model_predict_columns_f64",
    _int(types.uintp, types.uintp, _pointer, _pointer, types.int64, _pointer, types.uintp, types.uintp),
)
_two_leaf: Any = _external("gpp_two_leaf_f64", _int(_pointer, types.uintp, _pointer, _pointer, types.int64, _pointer))
_N_INPUTS, _N_OUTPUTS = len(INPUTS), 7
_MESSAGE = "gppcore: expected a workspace of this thread, arrays of the right shape and plausible values"


@njit(cache=True, nogil=True)
def forest_workspace(forest):  # type: ignore[no-untyped-def]
    """Return scratch memory for predictions with a forest: one per thread.

    Examples
    --------
    >>> from gppcore import Forest
    >>> from gppcore.njit import Handle, forest_workspace, free_workspace
    >>> stump = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> handle = Handle(Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 1.0, 2.0], **stump))
    >>> work = forest_workspace(handle.address)
    >>> free_workspace(work)
    """
    work = np.zeros(1, np.uintp)
    if _forest_workspace_new(forest, work.ctypes) != 0:
        raise ValueError(_MESSAGE)
    return work[0]


@njit(cache=True, nogil=True)
def model_workspace(model):  # type: ignore[no-untyped-def]
    """Return scratch memory for predictions with a transfer model: one per thread.

    Examples
    --------
    >>> from gppcore import Forest, TransferModel
    >>> from gppcore.njit import Handle, free_workspace, model_workspace
    >>> stump = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> forest = Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 1.0, 2.0], **stump)
    >>> handle = Handle(TransferModel.of_forest(forest, ["lai"]))
    >>> work = model_workspace(handle.address)
    >>> free_workspace(work)
    """
    work = np.zeros(1, np.uintp)
    if _model_workspace_new(model, work.ctypes) != 0:
        raise ValueError(_MESSAGE)
    return work[0]


@njit(cache=True, nogil=True)
def free_workspace(work):  # type: ignore[no-untyped-def]
    """Free scratch memory.

    Examples
    --------
    >>> from gppcore import Forest
    >>> from gppcore.njit import Handle, forest_workspace, free_workspace
    >>> stump = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> handle = Handle(Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 1.0, 2.0], **stump))
    >>> free_workspace(forest_workspace(handle.address))
    """
    _workspace_free(work)


@njit(cache=True, nogil=True)
def predict_forest(forest, work, rows, out):  # type: ignore[no-untyped-def]
    """Predict C-contiguous rows (n, n_features) of float64 with a forest of one output, to out (n).

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import Forest
    >>> from gppcore.njit import Handle, forest_workspace, free_workspace, predict_forest
    >>> stump = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> handle = Handle(Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 1.0, 2.0], **stump))
    >>> work, out = forest_workspace(handle.address), np.empty(2)
    >>> predict_forest(handle.address, work, np.array([[0.2], [0.8]]), out)
    >>> free_workspace(work)
    >>> out
    array([1., 2.])
    """
    if out.size != rows.shape[0]:
        raise ValueError(_MESSAGE)
    if _forest(forest, work, rows.ctypes, rows.shape[0], rows.shape[1], 0, out.ctypes) != 0:
        raise ValueError(_MESSAGE)


@njit(cache=True, nogil=True)
def predict_model(model, work, rows, out):  # type: ignore[no-untyped-def]
    """Predict GPP of rows (n, n_predictors) of float64, of any strides, to out (n).

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import Forest, TransferModel
    >>> from gppcore.njit import Handle, free_workspace, model_workspace, predict_model
    >>> stump = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> forest = Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 1.0, 2.0], **stump)
    >>> handle = Handle(TransferModel.of_forest(forest, ["lai"]))
    >>> work, out = model_workspace(handle.address), np.empty(2)
    >>> predict_model(handle.address, work, np.array([[0.2], [0.8]]), out)
    >>> free_workspace(work)
    >>> out
    array([1., 2.])
    """
    n, n_columns = rows.shape
    columns, strides = np.empty(n_columns, np.uintp), np.empty(n_columns, np.int64)
    for f in range(n_columns):
        columns[f] = rows.ctypes.data + f * rows.strides[1]
        strides[f] = rows.strides[0] // 8
    if out.size != n or _model(model, work, columns.ctypes, strides.ctypes, n, out.ctypes, 0, 0) != 0:
        raise ValueError(_MESSAGE)


@njit(cache=True, nogil=True)
def two_leaf(pft, inputs, out):  # type: ignore[no-untyped-def]
    """Simulate GPP of canopy hours: inputs (12, n) in the order of `gppcore.process.two_leaf.INPUTS`.

    out (2, n) receives GPP of sunlit and of shaded leaves. A row of inputs that begins with NaN is taken as absent
    where it may be: wind, clumping, soil_water_stress, vcmax25, g1 and diffuse_fraction.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore.njit import pft_parameters, two_leaf
    >>> from gppcore.process.two_leaf import INPUTS
    >>> inputs = np.full((len(INPUTS), 1), np.nan)  # absent
    >>> given = {"sw": 600.0, "tair": 22.0, "vpd": 1000.0, "cos_zenith": 0.8, "ca": 410.0, "lai": 3.0}
    >>> for name, value in given.items():
    ...     inputs[INPUTS.index(name)] = value
    >>> out = np.empty((2, 1))
    >>> two_leaf(pft_parameters("enf"), inputs, out)
    >>> bool(0 < out.sum() < 40)
    True
    """
    n = inputs.shape[1]
    if inputs.shape[0] != _N_INPUTS or out.shape != (2, n):
        raise ValueError(_MESSAGE)
    columns, strides = np.zeros(_N_INPUTS, np.uintp), np.empty(_N_INPUTS, np.int64)
    targets = np.zeros(_N_OUTPUTS, np.uintp)
    for j in range(_N_INPUTS):
        strides[j] = inputs.strides[1] // 8
        optional = j == 3 or j >= 7
        if not (optional and n > 0 and np.isnan(inputs[j, 0])):
            columns[j] = inputs.ctypes.data + j * inputs.strides[0]
    for j in range(2):
        targets[j] = out.ctypes.data + j * out.strides[0]
    if _two_leaf(pft.ctypes, 0, columns.ctypes, strides.ctypes, n, targets.ctypes) != 0:
        raise ValueError(_MESSAGE)
