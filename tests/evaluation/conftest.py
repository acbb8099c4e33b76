import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def predictions():
    """Months of 20 towers in 12 clusters, with three methods, the fluorescence and an interval."""
    rng = np.random.default_rng(8)
    site = np.repeat(np.arange(20), 24)
    month = np.tile(np.arange(24) % 12 + 1, 20)
    observed = 5.0 - 4.0 * np.cos(month / 6 * np.pi) + rng.gamma(2.0, 1.0, 20)[site] + rng.random(site.size)
    transfer = observed + rng.normal(0.0, 1.0, site.size)
    return pd.DataFrame(
        {
            "site_id": [f"AA-{s:03}" for s in site],
            "cluster": site * 3 // 5,
            "pft": np.array(["ENF", "GRA", "DBF", "CRO"])[site % 4],
            "group": np.array(["B", "C", "D"])[site % 3],
            "year": np.tile(np.repeat([2005, 2006], 12), 20),
            "month": month,
            "observed": observed,
            "process": 0.6 * observed + rng.normal(0.0, 1.5, site.size),
            "direct": observed + rng.normal(0.0, 1.3, site.size),
            "transfer": transfer,
            "transfer_low": transfer - 1.7,
            "transfer_high": transfer + 1.7,
            "csif": np.where(month == 1, np.nan, 0.1 * observed + rng.normal(0.0, 0.05, site.size)),
        }
    )
