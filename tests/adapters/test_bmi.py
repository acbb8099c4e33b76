"""The Basic Model Interface: each of its functions, on a uniform grid and on the cells of a tile store."""

import numpy as np
import pytest
from bmipy import Bmi

from gppcore import Forest, TileStore, TransferModel
from gppcore.bmi import Gppcore
from gppcore.errors import RangeError, ShapeError, UnitsError
from gppcore.variables import DAYS_IN_MONTH

NAMES = ("tair", "lai")
TAIR, LAI = "atmosphere_bottom_air__temperature", "vegetation_canopy_leaf__leaf-area_index"
GPP = "vegetation__gross_primary_production_of_carbon"


@pytest.fixture(scope="module")
def model():
    forest = Forest.from_arrays(
        n_features=2,
        tree_begin=[0, 3, 6],
        feature=[0, -1, -1, 1, -1, -1],
        threshold=[15.0, 0, 0, 3.0, 0, 0],
        left=[1, 0, 0, 1, 0, 0],
        right=[2, 0, 0, 2, 0, 0],
        value=[0.0, 1.0, 2.0, 0.0, 1.0, 5.0],
    )
    return TransferModel.of_forest(forest, NAMES)


@pytest.fixture
def uniform(model, tmp_path):
    model.save(tmp_path / "model.zip")
    (tmp_path / "run.toml").write_text(
        'model = "model.zip"\nshape = [2, 3]\nspacing = [0.5, 1.0]\norigin = [40.0, -10.0]\nmonths = 14\n'
    )
    component = Gppcore()
    component.initialize(str(tmp_path / "run.toml"))
    return component


def test_it_is_a_whole_interface():
    assert issubclass(Gppcore, Bmi)
    assert Gppcore.__abstractmethods__ == frozenset()


def test_what_it_says_of_itself(uniform):
    assert uniform.get_component_name() == "gppcore transfer model"
    assert uniform.get_input_var_names() == (TAIR, LAI)
    assert uniform.get_output_var_names() == (GPP,)
    assert (uniform.get_input_item_count(), uniform.get_output_item_count()) == (2, 1)
    assert [uniform.get_var_units(name) for name in (TAIR, LAI, GPP)] == ["degC", "m2 m-2", "g m-2 d-1"]
    assert uniform.get_var_type(TAIR) == "float64"
    assert (uniform.get_var_itemsize(TAIR), uniform.get_var_nbytes(TAIR)) == (8, 48)
    assert (uniform.get_var_grid(GPP), uniform.get_var_location(GPP)) == (0, "node")
    with pytest.raises(RangeError, match="name: expected one of"):
        uniform.get_var_units("tair")


def test_its_grid(uniform):
    assert uniform.get_grid_type(0) == "uniform_rectilinear"
    assert (uniform.get_grid_rank(0), uniform.get_grid_size(0), uniform.get_grid_node_count(0)) == (2, 6, 6)
    assert uniform.get_grid_shape(0, np.empty(2, int)).tolist() == [2, 3]
    assert uniform.get_grid_spacing(0, np.empty(2)).tolist() == [0.5, 1.0]
    assert uniform.get_grid_origin(0, np.empty(2)).tolist() == [40.0, -10.0]
    assert uniform.get_grid_x(0, np.empty(3)).tolist() == [-10.0, -9.0, -8.0]
    assert uniform.get_grid_y(0, np.empty(2)).tolist() == [40.0, 40.5]
    for name in ("z", "edge_nodes", "face_edges", "face_nodes", "nodes_per_face"):
        with pytest.raises(NotImplementedError):
            getattr(uniform, f"get_grid_{name}")(0, np.empty(6))
    for name in ("edge", "face"):
        with pytest.raises(NotImplementedError):
            getattr(uniform, f"get_grid_{name}_count")(0)


def test_it_runs_with_what_others_set(uniform, model):
    assert (uniform.get_start_time(), uniform.get_current_time(), uniform.get_time_units()) == (0.0, 0.0, "d")
    assert uniform.get_end_time() == pytest.approx(365.25 + 31 + 28.25)
    assert uniform.get_time_step() == 31.0
    pointer = uniform.get_value_ptr(GPP)
    uniform.set_value(TAIR, np.arange(6.0).reshape(2, 3) * 5)
    uniform.set_value_at_indices(LAI, np.array([0, 5]), np.array([4.0, 2.0]))
    uniform.update()
    rows = np.column_stack([np.arange(6.0) * 5, [4.0, np.nan, np.nan, np.nan, np.nan, 2.0]])
    assert pointer.tolist() == model.predict(rows).tolist()
    assert uniform.get_value(GPP, np.empty(6)).tolist() == pointer.tolist()
    assert uniform.get_value_at_indices(GPP, np.empty(2), np.array([0, 5])).tolist() == pointer[[0, 5]].tolist()
    assert uniform.get_time_step() == 28.25
    uniform.update_until(365.25)
    assert uniform.get_current_time() == pytest.approx(DAYS_IN_MONTH.sum())
    uniform.update_until(uniform.get_end_time())
    with pytest.raises(RangeError, match="at most 14 months"):
        uniform.update()
    with pytest.raises(RangeError, match="time: expected"):
        uniform.update_until(3.0)
    uniform.finalize()


def test_wrong_values_are_refused(uniform):
    with pytest.raises(ShapeError, match=f"{LAI}: expected 6 values, got 4"):
        uniform.set_value(LAI, np.ones(4))
    uniform.set_value(TAIR, 288.0)
    with pytest.raises(UnitsError, match="look like K"):
        uniform.update()


def test_it_reads_the_months_of_a_store(model, tmp_path):
    model.save(tmp_path / "model")
    store = TileStore.create(tmp_path / "tiles", [40.5, 40.0], [-10.0, -9.0, -8.0], [0, 2, 4])
    rng = np.random.default_rng(0)
    values = {"tair": rng.uniform(0, 30, (12, 3)).astype(np.float32), "lai": np.array([1, 4, 5], np.float32)}
    with store.writing():
        for name, field in values.items():
            store.add(name, monthly=field.ndim == 2, attrs={})
            store.write(name, 0, field)
    (tmp_path / "run.toml").write_text('model = "model"\ntiles = "tiles"\n')
    component = Gppcore()
    component.initialize(str(tmp_path / "run.toml"))
    assert (component.get_grid_type(0), component.get_grid_rank(0)) == ("points", 1)
    assert component.get_grid_x(0, np.empty(3)).tolist() == [-10.0, -8.0, -9.0]
    assert component.get_grid_y(0, np.empty(3)).tolist() == [40.5, 40.5, 40.0]
    with pytest.raises(NotImplementedError, match="points"):
        component.get_grid_shape(0, np.empty(1, int))
    for month in range(12):
        component.update()
        expected = model.predict(np.column_stack([values["tair"][month], values["lai"]]))
        assert component.get_value_ptr(GPP).tolist() == expected.tolist()
    assert component.get_current_time() == component.get_end_time()


@pytest.mark.parametrize(
    "text",
    [
        'tiles = "x"',
        'model = "model.zip"',
        'model = "m"\nshape = [2]\ncolor = 1',
        'model = "m"\ntiles="a"\nshape=[1,1]',
    ],
)
def test_wrong_configurations_are_refused(text, tmp_path):
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(RangeError, match=r"run\.toml: expected"):
        Gppcore().initialize(str(tmp_path / "run.toml"))
