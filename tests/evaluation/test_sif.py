"""Correlation with fluorescence against a loop over sites."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from gppcore.errors import ShapeError
from gppcore.evaluation.sif import fluorescence


def test_correlations_equal_those_of_rows_with_fluorescence(predictions):
    got = fluorescence(predictions)
    assert list(got) == ["process", "direct", "transfer", "observed"]
    rows = predictions.dropna(subset="csif")
    assert len(rows) == 440
    for name, figures in got.items():
        assert figures["all"] == pytest.approx(pearsonr(rows[name], rows["csif"])[0])
        sites = [part for _, part in rows.groupby("site_id")]
        means = np.array([(part[name].mean(), part["csif"].mean()) for part in sites]).T
        assert figures["between_site"] == pytest.approx(pearsonr(*means)[0])
        parts = [(part[[name, "csif"]] - part[[name, "csif"]].mean()).to_numpy() for part in sites]
        assert figures["within_site"] == pytest.approx(pearsonr(*np.concatenate(parts).T)[0])
        for pft, value in figures["by_pft"].items():
            part = rows[rows["pft"] == pft]
            assert value == pytest.approx(pearsonr(part[name], part["csif"])[0])


def test_what_does_not_vary_has_no_correlation(predictions):
    one = predictions[predictions["site_id"] == "AA-003"].assign(process=0.1)
    got = fluorescence(one)
    assert np.isnan(got["process"]["all"])
    assert np.isnan(got["direct"]["between_site"])
    assert got["direct"]["within_site"] == pytest.approx(got["direct"]["all"])
    few = fluorescence(predictions.assign(csif=predictions["csif"].where(predictions.index < 3)))
    assert np.isnan(few["direct"]["all"])


def test_a_table_without_fluorescence_is_refused(predictions):
    with pytest.raises(ShapeError, match="expected the column csif"):
        fluorescence(predictions.drop(columns="csif"))
