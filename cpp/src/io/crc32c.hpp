// CRC-32C (Castagnoli), the checksum of forest files.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gppcore {

uint32_t crc32c(const void* data, size_t size);

}  // namespace gppcore
