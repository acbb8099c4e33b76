"""The two-leaf model and regridding in C give the bits of Python, and no host's floating-point environment shows."""

import subprocess

import numpy as np
import pytest

from gppcore import PFTS, Canopy, Forcing, aggregate, downscale, leaf_gas_exchange, two_leaf_gpp
from gppcore.process.two_leaf import INPUTS, OUTPUTS
from gppcore.runtime import supported_isas

LOW = (0, -20, 0, 0, -0.5, 300, 0, 0.3, 0, 0, 1, 0)
HIGH = (1000, 45, 6000, 15, 1, 800, 8, 1, 1, 150, 12, 1)
WARNINGS = ("-Wall", "-Wextra", "-Werror")


@pytest.fixture(scope="module")
def hours():
    """Make canopy hours of all inputs, with missing values."""
    values = np.random.default_rng(3).uniform(LOW, HIGH, (1001, 12)).T.copy()
    values[2, 17] = values[6, 300] = np.nan
    return values


def flux_bits(flux):
    return b"".join(getattr(flux, name).tobytes() for name in ("gpp_sunlit", "gpp_shaded", *OUTPUTS))


def simulated(columns, mode="default"):
    named = dict(zip(INPUTS, columns, strict=True))
    weather = ("sw", "tair", "vpd", "cos_zenith", "ca", "wind", "diffuse_fraction")
    forcing = Forcing(**{name: named.pop(name) for name in weather})
    return two_leaf_gpp(forcing, Canopy(**named), PFTS["dbf"], mode=mode, outputs=OUTPUTS)


def test_c_gives_the_bits_of_python(hours, build, here, tmp_path):
    program = build("gcc", [here / "kernels.c"], tmp_path / "kernels", "-std=c11", *WARNINGS)
    hours.tofile(tmp_path / "hours")
    n = hours.shape[1]
    done = subprocess.run([program, "hours", str(n), "out"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "tair: expected -90 to 65 degC or NaN, got 295 in element 1; is it in K?\n"
    got = (tmp_path / "out").read_bytes()

    expected = flux_bits(simulated(hours)) + flux_bits(simulated(hours, "beps"))
    expected += flux_bits(simulated(hours.astype(np.float32)))
    sw, tair, vpd, _, cosine, _, lai = (column[: 2 * (n // 2) : 2] for column in hours[:7])
    flux = two_leaf_gpp(Forcing(sw, tair, vpd, cosine, 410.0), Canopy(lai), PFTS["dbf"])
    expected += flux.gpp_sunlit.tobytes() + flux.gpp_shaded.tobytes()
    leaf = leaf_gas_exchange(
        vcmax25=hours[9],
        ppfd=hours[0],
        tair=hours[1],
        humidity=hours[11],
        boundary_conductance=1.0,
        ca=hours[5],
        g1=hours[10],
        soil_water_stress=hours[8],
        g0=0.01,
    )
    expected += b"".join(part.tobytes() for part in (leaf.a_net, leaf.ci, leaf.conductance, leaf.rd))
    assert got[: len(expected)] == expected

    rest = np.frombuffer(got[len(expected) :])
    area, coarse, share, fine = np.split(rest, np.cumsum([12, 18, 18]))
    assert area == pytest.approx(np.abs(np.diff(np.sin(np.radians(np.linspace(90, -90, 13))))), rel=1e-14)
    field, covariate = (hours[j, :288].reshape(12, 24) for j in (0, 2))
    edges = {"lat_edges": (90, -90)}
    mean, fraction = aggregate(field, factor=4, min_valid=0.5, fraction=True, **edges)
    assert coarse == pytest.approx(mean.ravel(), rel=1e-14)
    assert share == pytest.approx(fraction.ravel(), rel=1e-14)
    whole = {"factor": 4, "lon_edges": (-180, 180), **edges}
    methods = ("conservative", "covariate", "bilinear", "smooth")
    for method, part in zip(methods, np.split(fine, 4), strict=True):
        options = {**whole, "covariate": covariate} if method == "covariate" else whole
        wanted = downscale(coarse.reshape(3, 6), method=method, **options)
        assert part == pytest.approx(wanted.ravel(), rel=1e-12, nan_ok=True), method


def test_no_trap_fires_and_bits_do_not_depend_on_the_environment(build, here, forest_file, model_folder, tmp_path):
    program = build("gcc", [here / "traps.c"], tmp_path / "traps", "-std=c11", "-O1", "-fno-builtin", *WARNINGS)
    printed = set()
    for isa in supported_isas():
        done = subprocess.run(
            [program, forest_file, model_folder], env={"GPPCORE_ISA": isa}, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{isa}: {done.stderr}"
        printed.add(done.stdout)
    assert len(printed) == 1, printed
    assert printed.pop().startswith("1472 calls, digest ")
