import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gppcore.forest.formats.rounding import at_most, less_than

SINGLE = st.floats(width=32, allow_nan=False)


@pytest.mark.parametrize(("limit", "compare"), [(at_most, np.less_equal), (less_than, np.less)])
@given(threshold=SINGLE)
@example(threshold=0.0)
@example(threshold=-0.0)
@example(threshold=float(np.finfo(np.float32).max))
@example(threshold=-float(np.finfo(np.float32).max))
@example(threshold=np.inf)
@example(threshold=-np.inf)
@example(threshold=1.401298464324817e-45)
def test_is_the_largest_double_that_passes(limit, compare, threshold):
    t = np.float32(threshold)
    bound = limit(np.array([threshold]))[0]
    with np.errstate(over="ignore"):
        passes = compare(np.float32(bound), t)
        above = np.nextafter(bound, np.inf)
        assert above == bound or not compare(np.float32(above), t)
    # No number is below the least: then even that does not pass.
    assert passes or (limit is less_than and t == -np.inf)


@given(threshold=st.floats(allow_nan=False), x=SINGLE)
def test_thresholds_between_single_numbers(threshold, x):
    assert (x <= at_most(np.array([threshold]))[0]) == (x <= threshold)
