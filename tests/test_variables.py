import numpy as np
import pytest

from gppcore.errors import RangeError, UnitsError
from gppcore.variables import VARIABLES, attributes, check_field, check_range, check_unit


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("tair", [270.0, 300.0], "K"),
        ("vpd", [2.0, 14.0], "hPa or kPa"),
        ("sw", [3.0, 28.0], "MJ m-2 d-1"),
        ("precip", [0.0, 1e-4], "kg m-2 s-1"),
        ("patm", [900.0, 1010.0], "hPa"),
    ],
)
def test_field_in_another_unit_is_recognised(name, values, unit):
    with pytest.raises(UnitsError, match=f"^{name} in site.csv: expected .*, got .* look like {unit}$"):
        check_field(name, np.array(values), where="site.csv")


def test_range_names_expected_and_got():
    with pytest.raises(RangeError, match=r"^lai: expected 0 to 15 m2 m-2, got -1 to 3$"):
        check_range("lai", [-1.0, np.nan, 3.0])
    assert np.isnan(check_range("lai", [np.nan])).all()
    assert check_range("sw", 12.0) == 12.0


def test_given_unit_must_be_the_table_unit():
    check_unit("vpd", "Pa")
    check_unit("vpd", None)
    with pytest.raises(UnitsError, match=r"^vpd: expected Pa, got hPa$"):
        check_unit("vpd", "hPa")


def test_every_variable_has_a_unit_and_a_range():
    for name, variable in VARIABLES.items():
        assert variable.name == name
        assert variable.valid_range[0] < variable.valid_range[1]
        assert attributes(name)["units"] == variable.unit
