#include "crc32c.hpp"
