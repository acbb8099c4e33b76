// clang++ -fsanitize=fuzzer: inputs get a right size and checksum, or none would pass the first check.
#include <cstdint>
#include <vector>

#include "io/forest_format.hpp"
#include "try_forest.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<char> bytes(data, data + size);
  if (size >= 128) gppcore::seal_forest(bytes.data(), size);
  try_forest(bytes.data(), size);
  return 0;
}
