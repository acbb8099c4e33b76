"""Spack recipe of the C, C++ and Fortran library, without Python."""

from spack.package import *


class Gppcore(CMakePackage):
    """Gross primary production: two-leaf photosynthesis, regridding and tree ensembles for land-surface models."""

    # The method. The recipe names no address of the source: `spack develop --path . gppcore@main` builds a checkout.
    homepage = "https://doi.org/10.1016/j.agrformet.2025.110678"

    license("Apache-2.0")

    version("main")

    variant("shared", default=True, description="Build the shared library beside the static one")
    variant("gradient", default=False, description="Build the derivatives of the two-leaf model")

    depends_on("cxx", type="build")
    depends_on("cmake@3.18:", type="build")
    depends_on("zlib-api")

    conflicts("platform=darwin", msg="Linux alone is tested")
    conflicts("platform=windows", msg="Linux alone is tested")

    def cmake_args(self):
        return [
            self.define_from_variant("BUILD_SHARED_LIBS", "shared"),
            self.define_from_variant("GPPCORE_GRADIENT", "gradient"),
        ]
