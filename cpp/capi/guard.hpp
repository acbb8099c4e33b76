// What every function of the C interface shares: guard() lets no exception out, and the host's floating-point
// environment alone.
#pragma once
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "../src/float_environment.hpp"
#include "gppcore/error.hpp"
#include "gppcore/gppcore.h"

namespace gppcore {

// Message of the last failure in this thread. The memory is fixed: on the way of an error nothing is allocated, since
// memory may be what is missing. A message holds a path and a reason.
struct LastError {
  char text[4096 + 512];

  void set(const char* message) noexcept {
    size_t n = strnlen(message, sizeof text);
    if (n == sizeof text) --n;
    if (message[n] != 0)  // cut, but not inside a character of UTF-8
      while (n > 0 && (message[n] & 0xC0) == 0x80) --n;
    std::memcpy(text, message, n);
    text[n] = 0;
  }
};

inline LastError& last_error() noexcept {
  thread_local LastError last = {};
  return last;
}

template <class Body>
gpp_status guard(Body&& body) noexcept {
  const FloatEnvironment environment;
  try {
    body();
    return GPP_OK;
  } catch (const Error& e) {
    last_error().set(e.what());
    return static_cast<gpp_status>(e.code());
  } catch (const std::bad_alloc&) {
    last_error().set("out of memory");
    return GPP_ERROR_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    last_error().set(e.what());
  } catch (...) {
    last_error().set("unknown exception");
  }
  return GPP_ERROR_KERNEL;
}

inline void require(const void* pointer, const char* name) {
  if (!pointer) throw Error(ErrorCode::range, std::string(name) + ": expected a pointer, got NULL");
}

inline void require_size(int64_t size, const char* name) {
  if (size < 0) throw Error(ErrorCode::range, std::string(name) + ": expected >= 0, got " + std::to_string(size));
}

// An index from 0 to n - 1.
inline size_t require_index(int64_t i, int64_t n) {
  if (i < 0 || i >= n)
    throw Error(ErrorCode::range, "i: expected 0 to " + std::to_string(n - 1) + ", got " + std::to_string(i));
  return static_cast<size_t>(i);
}

template <class T>
void require_columns(const T* const* columns, const int64_t* strides, int64_t n_columns) {
  require(columns, "columns");
  require(strides, "strides");
  for (int64_t f = 0; f < n_columns; ++f) require(columns[f], "columns[i]");
}

// The size that a caller was compiled with, which every struct begins with.
inline void require_struct(int64_t size, int64_t expected, const char* name) {
  if (size < expected)
    throw Error(ErrorCode::shape, std::string(name) + ".size: expected sizeof(*" + name + "), " +
                                      std::to_string(expected) + ", got " + std::to_string(size));
}

}  // namespace gppcore
