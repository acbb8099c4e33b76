import numpy as np
import pandas as pd
import pytest

from gppcore.errors import RangeError
from gppcore.evaluation.schemes import SCHEMES, FewTowers, splits

FEW = FewTowers((3, 6), draws=2)


def groups(n=600, seed=0):
    rng = np.random.default_rng(seed)
    site = rng.integers(0, 30, n)
    return pd.DataFrame(
        {
            "site": site,
            "cluster": site // 2,
            "region": np.array(list("ABC"))[site // 2 % 3],
            "continent": np.array(["europe", "asia"])[site // 2 % 2],
            "pft": np.array(["ENF", "GRA"])[site // 2 % 2],
            "year": rng.integers(2001, 2009, n),
            "month": rng.integers(1, 13, n),
            "tair_mean": 10.0 + (7 * (site // 2)) % 15,
        }
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_row_trains_and_is_tested(scheme):
    for split in splits(groups(), scheme, few_towers=FEW):
        assert split.train.any()
        assert split.test.any()
        assert not (split.train & split.test).any()


@pytest.mark.parametrize(("scheme", "folds"), [("site", 5), ("regional", 3)])
def test_every_row_is_tested_once(scheme, folds):
    found = splits(groups(), scheme)
    assert len(found) == folds
    np.testing.assert_array_equal(sum(s.test.astype(int) for s in found), 1)


@pytest.mark.parametrize("scheme", ["site", "regional", "few_towers", "warmer"])
def test_clusters_are_never_parted(scheme):
    data = groups()
    # A cluster that reaches into two regions.
    data.loc[data["site"] == 0, "region"] = "B"
    for split in splits(data, scheme, few_towers=FEW):
        assert not set(data["cluster"][split.train]) & set(data["cluster"][split.test])


def test_warmer_climates_are_the_warmest_quarter_of_clusters():
    data = groups()
    (split,) = splits(data, "warmer")
    assert data["tair_mean"][split.test].min() > data["tair_mean"][split.train].max()
    assert data["cluster"][split.test].nunique() == 4
    with pytest.raises(RangeError, match="expected the column tair_mean"):
        splits(data.drop(columns="tair_mean"), "warmer")


def test_regions_are_told_by_their_column():
    data = groups()
    for by, column in (("koeppen", "region"), ("continent", "continent"), ("pft", "pft")):
        for split in splits(data, "regional", by=by):
            assert set(data[column][split.test]) == {split.label}
            assert split.label not in set(data[column][split.train])


def test_small_regions_train_but_are_not_held_out():
    data = groups()
    data.loc[data.index[data["site"] == 3][:10], "region"] = "E"
    assert [s.label for s in splits(data, "regional")] == ["A", "B", "C"]


def test_later_years_of_known_towers_are_tested():
    data = groups()
    (split,) = splits(data, "temporal")
    for site in set(data["site"]):
        own = (data["site"] == site).to_numpy()
        assert data["year"][own & split.train].max() < data["year"][own & split.test].min()
    share = split.test.mean()
    assert 0.15 < share < 0.4


def test_few_towers_train_one_of_a_cluster():
    data = groups()
    found = splits(data, "few_towers", few_towers=FewTowers((3, 6), draws=4, seed=1))
    assert [s.towers for s in found] == [3] * 4 + [6] * 4
    for split in found:
        assert data["site"][split.train].nunique() == split.towers
        assert data["cluster"][split.train].nunique() == split.towers
    assert len({tuple(s.train) for s in found}) == 8
    again = splits(data, "few_towers", few_towers=FewTowers((3, 6), draws=4, seed=1))
    assert all((a.train == b.train).all() for a, b in zip(found, again, strict=True))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_towers_apart_are_the_only_ones_tested(scheme):
    data = groups()
    tested = (data["site"] >= 20).to_numpy()
    found = splits(data, scheme, few_towers=FewTowers((3,), draws=2), tested=tested)
    assert len(found) == {"site": 1, "temporal": 1, "regional": 3, "few_towers": 2, "warmer": 1}[scheme]
    for split in found:
        assert not (split.test & ~tested).any()


def test_bad_requests_are_refused():
    with pytest.raises(RangeError, match=r"scheme: expected one of .*, got 'random'"):
        splits(groups(), "random")
    with pytest.raises(RangeError, match=r"by: expected one of .*, got 'moon'"):
        splits(groups(), "regional", by="moon")
    with pytest.raises(RangeError, match="scheme regional: expected at least 2 groups of samples, got 0"):
        splits(groups().assign(region="C"), "regional")
    with pytest.raises(RangeError, match="few_towers: expected 1 to 14 towers to train, got 15"):
        splits(groups(), "few_towers", few_towers=FewTowers((15,)))
