// A model file as bytes in memory.
#pragma once
#include <cstddef>
#include <vector>

#include "gppcore/model.hpp"

namespace gppcore {

// Throws Error(forest_format) unless it is a whole file that holds a right recipe.
ModelRecipe parse_recipe(const char* data, size_t size);

std::vector<char> recipe_bytes(const ModelRecipe& recipe);

// Writes size and checksum into the header of a file.
void seal_recipe(char* data, size_t size);

}  // namespace gppcore
