"""``python -m gppcore.constants`` prints cpp/src/kernels/constants.hpp, and with ``pfts`` cpp/src/pfts.hpp."""

import sys

from gppcore.constants.header import cpp_header, cpp_pfts

if __name__ == "__main__":
    print(cpp_pfts() if sys.argv[1:] == ["pfts"] else cpp_header())
