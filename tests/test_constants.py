from pathlib import Path

from gppcore.constants import PFTS
from gppcore.constants.header import cpp_header, cpp_pfts

SOURCE = Path(__file__).resolve().parents[1] / "cpp" / "src"
HEADER = SOURCE / "kernels" / "constants.hpp"


def test_header_of_the_kernels_is_up_to_date():
    assert HEADER.read_text() == cpp_header() + "\n", "run: python -m gppcore.constants > cpp/src/kernels/constants.hpp"


def test_table_of_types_of_the_library_is_up_to_date():
    wanted = cpp_pfts() + "\n"
    assert (SOURCE / "pfts.hpp").read_text() == wanted, "run: python -m gppcore.constants pfts > cpp/src/pfts.hpp"


def test_pft_names_are_their_keys():
    assert all(name == pft.name for name, pft in PFTS.items())
    assert {pft.name for pft in PFTS.values() if pft.pathway == "C4"} == {"grass_c4", "crop_c4"}
