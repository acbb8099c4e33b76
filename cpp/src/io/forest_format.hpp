// A forest file as bytes in memory.
#pragma once
#include <cstddef>
#include <vector>

#include "gppcore/forest.hpp"

namespace gppcore {

// Looks into `data`, which is aligned to 8 bytes. Throws Error(forest_format) unless it is a whole file.
ForestView parse_forest(const char* data, size_t size);

std::vector<char> forest_bytes(const ForestView& arrays);

// Writes size and checksum into the header of a file.
void seal_forest(char* data, size_t size);

}  // namespace gppcore
