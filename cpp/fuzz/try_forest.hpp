// What the mutation driver and the libFuzzer target do with bytes.
#pragma once
#include <cstddef>
#include <string>

// Reads `data` as a forest file; if it is accepted, predicts with it. All buffers have exactly the size that the
// forest may use, so that a sanitiser sees every access beyond. Returns the refusal, empty if accepted; any other
// exception than Error(forest_format) passes through.
std::string try_forest(const char* data, size_t size);
