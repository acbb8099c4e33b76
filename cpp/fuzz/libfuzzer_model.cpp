// clang++ -fsanitize=fuzzer: inputs get a right size and checksum, or none would pass the first check.
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "gppcore/error.hpp"
#include "io/model_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<char> bytes(data, data + size);
  if (size >= 96) gppcore::seal_recipe(bytes.data(), size);
  try {
    if (gppcore::recipe_bytes(gppcore::parse_recipe(bytes.data(), size)) != bytes)
      throw std::runtime_error("what was read writes another file");
  } catch (const gppcore::Error& e) {
    if (e.code() != gppcore::ErrorCode::forest_format) throw;
  }
  return 0;
}
