// The one exception of the C++ core. Codes are 1:1 with the C ABI and with the Python errors.
#pragma once
#include <exception>
#include <string>
#include <utility>

#include "gppcore/visibility.hpp"

namespace gppcore GPPCORE_VISIBLE {

enum class ErrorCode : int {
  ok = 0,
  shape = 1,
  dtype = 2,
  range = 3,
  forest_format = 4,
  missing_file = 5,
  out_of_memory = 6,
  kernel = 7,
  disk_full = 8,
  file_access = 9,
  busy = 10,
};

class Error : public std::exception {
 public:
  // `reason` is the number of an error of the system, or 0.
  Error(ErrorCode code, std::string message, int reason = 0)
      : code_(code), message_(std::move(message)), reason_(reason) {}
  ErrorCode code() const noexcept { return code_; }
  int reason() const noexcept { return reason_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  int reason_;
};

}  // namespace gppcore GPPCORE_VISIBLE
