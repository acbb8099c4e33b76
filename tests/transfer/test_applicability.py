import numpy as np
import pytest

from gppcore.features import FRACTIONS
from gppcore.transfer.applicability import Applicability
from gppcore.transfer.gaussian import PLACE, Axes, squares

PREDICTORS = (*PLACE, "tair", "lai", *FRACTIONS)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    x = rng.normal(0.0, 1.0, (40, len(PREDICTORS)))
    x[:, [PREDICTORS.index(name) for name in ("lai_mean", "lai_max", "lai")]] = rng.uniform(0.5, 5.0, (40, 3))
    x[:, -len(FRACTIONS) :] = np.eye(len(FRACTIONS))[rng.integers(0, len(FRACTIONS), 40)]
    return x


@pytest.fixture(scope="module")
def known(rows):
    axes = Axes.of(rows, PREDICTORS)
    found = Applicability.of(axes, rows, PREDICTORS, np.arange(40), np.arange(40) % 4)
    assert found is not None
    return found


def test_index_is_the_distance_of_the_gaussian_process_over_the_spacing_of_towers(rows, known):
    others = rows + 0.3
    others[:, -len(FRACTIONS) :] = rows[:, -len(FRACTIONS) :]
    place, towers = (known.axes(x, PREDICTORS)[0] for x in (others, rows))
    between = np.sqrt(squares(towers, towers))
    spacing = between[~np.eye(40, dtype=bool)].mean()
    expected = np.sqrt(squares(place, towers).min(axis=1)) / spacing
    np.testing.assert_allclose(known.dissimilarity(others, PREDICTORS), expected, rtol=1e-9)


def test_towers_are_like_themselves_and_half_of_them_within_reach_of_the_others(rows, known):
    assert known.dissimilarity(rows, PREDICTORS).max() == 0.0
    fold = np.arange(40) % 4
    far = []
    for k in range(4):
        axes = known.axes
        without = Applicability.of(axes, rows[fold != k], PREDICTORS, np.flatnonzero(fold != k), fold[fold != k])
        index = without.dissimilarity(rows[fold == k], PREDICTORS) * without.spacing / known.spacing
        far.append(index <= known.threshold + 1e-12)
    assert np.concatenate(far).mean() > 0.9, "the threshold is the largest index that is no outlier"


def test_index_needs_no_predictor_of_the_season(rows, known):
    names = known.predictors
    at = [PREDICTORS.index(name) for name in names]
    assert "tair" not in names
    shifted = rows + 0.1
    np.testing.assert_array_equal(known.dissimilarity(shifted[:, at], names), known.dissimilarity(shifted, PREDICTORS))


def test_index_of_a_row_does_not_depend_on_the_others(rows, known):
    many = np.tile(rows + 0.2, (300, 1))
    whole = known.dissimilarity(many, PREDICTORS)
    np.testing.assert_array_equal(known.dissimilarity(many[7:20], PREDICTORS), whole[7:20])


def test_predictors_that_tell_nothing_of_the_place_have_no_index(rows):
    season = rows[:, [PREDICTORS.index("tair"), PREDICTORS.index("lai")]]
    assert (
        Applicability.of(Axes.of(season, ("tair", "lai")), season, ("tair", "lai"), np.arange(40), np.arange(40))
        is None
    )


def test_card_keeps_it(rows, known):
    again = Applicability.from_card(known.axes, known.to_card())
    np.testing.assert_array_equal(
        again.dissimilarity(rows + 0.1, PREDICTORS), known.dissimilarity(rows + 0.1, PREDICTORS)
    )
    assert again.threshold == known.threshold
