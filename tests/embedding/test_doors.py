"""Ranks of MPI and other ways to call the library: the bits of Python."""

import ctypes
import os
import shutil
import subprocess
import zipfile

import numpy as np
import pytest

from gppcore.runtime import get_include, get_library


@pytest.fixture(scope="module")
def packed(model_folder, tmp_path_factory):
    """Pack the model to a zip."""
    path = tmp_path_factory.mktemp("zip") / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in model_folder.iterdir():
            archive.write(file, file.name)
    return path


def test_ranks_and_threads_of_mpi_give_the_same_bits(build, here, packed, tmp_path):
    mpirun = shutil.which("mpirun") or shutil.which("mpiexec")
    if not mpirun:
        pytest.skip("no mpirun here")
    program = build("mpicc", [here / "ranks.c"], tmp_path / "ranks", "-std=c11", "-fopenmp", "-Wall", "-Wextra")
    digests = set()
    for ranks in (1, 2):
        for threads in (1, 2):
            environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMPI_ALLOW_RUN_AS_ROOT": "1"}
            environment |= {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
            command = [mpirun, "-n", str(ranks), program, packed, "5003"]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            digests.add(done.stdout)
    assert len(digests) == 1
    assert len(digests.pop()) == 17


def arrays(model):
    rng = np.random.default_rng(6)
    columns = [rng.normal(size=100) for _ in model.recipe.predictors]
    return columns, np.empty(100), np.ones(len(columns), np.int64)


def test_ctypes(model, packed):
    library, handle, work = ctypes.CDLL(get_library()), ctypes.c_void_p(), ctypes.c_void_p()
    columns, gpp, strides = arrays(model)
    assert library.gpp_model_load(os.fsencode(packed), ctypes.byref(handle)) == 0
    assert library.gpp_model_workspace_new(handle, ctypes.byref(work)) == 0
    pointers = (ctypes.c_void_p * len(columns))(*(column.ctypes.data for column in columns))
    at = (ctypes.c_void_p(array.ctypes.data) for array in (strides, gpp))
    address_of_strides, address_of_gpp = at
    n = ctypes.c_int64(100)
    status = library.gpp_model_predict_columns_f64(
        handle, work, pointers, address_of_strides, n, address_of_gpp, None, None
    )
    assert status == 0
    assert gpp.tobytes() == model.predict_columns(columns).tobytes()
    library.gpp_workspace_free(work)
    library.gpp_model_free(handle)


def test_cffi(model, packed):
    cffi = pytest.importorskip("cffi")
    if not shutil.which("cc"):
        pytest.skip("no C compiler here")
    header = os.path.join(get_include(), "gppcore", "gppcore.h")  # noqa: PTH118
    command = ["cc", "-E", "-P", "-DGPP_API=", "-D__extension__=", "-include", "stddef.h", header]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    ffi = cffi.FFI()
    ffi.cdef(text[text.index("typedef enum gpp_status") :])
    library = ffi.dlopen(get_library())
    columns, gpp, strides = arrays(model)
    handle, work = ffi.new("gpp_model**"), ffi.new("gpp_workspace**")
    assert library.gpp_model_load(os.fsencode(packed), handle) == library.GPP_OK
    assert library.gpp_model_workspace_new(handle[0], work) == library.GPP_OK
    pointers = ffi.new("double*[]", [ffi.from_buffer("double*", column) for column in columns])
    status = library.gpp_model_predict_columns_f64(
        handle[0], work[0], pointers, ffi.from_buffer("int64_t*", strides), 100,
        ffi.from_buffer("double*", gpp), ffi.NULL, ffi.NULL,
    )  # fmt: skip
    assert status == library.GPP_OK
    assert gpp.tobytes() == model.predict_columns(columns).tobytes()
    assert library.gpp_model_load(b"no such model", ffi.new("gpp_model**")) == library.GPP_ERROR_MISSING_FILE
    assert b"no such model" in ffi.string(library.gpp_last_error())
    library.gpp_workspace_free(work[0])
    library.gpp_model_free(handle[0])
