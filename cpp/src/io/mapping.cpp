#include "mapping.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "gppcore/error.hpp"

namespace gppcore {
namespace {

[[noreturn]] void fail_with_errno(const std::string& path, const char* action) {
  const int reason = errno;
  const ErrorCode code = reason == ENOENT || reason == ENOTDIR  ? ErrorCode::missing_file
                         : reason == ENOMEM                     ? ErrorCode::out_of_memory
                         : reason == ENOSPC || reason == EDQUOT ? ErrorCode::disk_full
                                                                : ErrorCode::file_access;
  throw Error(code, path + ": " + action + ": " + std::strerror(reason), reason);
}

// The system would cut the name at a zero byte, and open another file.
const char* whole_name(const std::string& path) {
  if (path.find('\0') != std::string::npos)
    throw Error(ErrorCode::range, "path: expected the name of a file, got one with a NUL character");
  return path.c_str();
}

class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(whole_name(path), flags | O_CLOEXEC, 0666)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

void write_all(const std::string& path, const std::vector<char>& bytes) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.get() < 0) fail_with_errno(path, "cannot be made");
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_with_errno(path, "cannot be written");
    done += static_cast<size_t>(n);
  }
  if (::fsync(file.get()) != 0) fail_with_errno(path, "cannot be synced");
}

}  // namespace

Mapping::Mapping(const std::string& path) {
  const File file(path, O_RDONLY | O_NONBLOCK);  // a pipe without a writer would block
  struct stat info{};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) fail_with_errno(path, "cannot be opened");
  if (!S_ISREG(info.st_mode))
    throw Error(ErrorCode::forest_format, path + ": expected a regular file, got a folder, pipe or device");
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;  // an empty range cannot be mapped
  data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
  if (data_ == MAP_FAILED) fail_with_errno(path, "cannot be mapped");
  try {
    range_.emplace(data_, size_, path);
  } catch (...) {
    ::munmap(data_, size_);
    throw;
  }
}

Mapping::~Mapping() {
  range_.reset();
  if (size_ > 0) ::munmap(data_, size_);
}

void replace_file(const std::string& path, const std::vector<char>& bytes) {
  static std::atomic<unsigned> serial{0};  // two threads may save to one path
  const std::string temporary = path + ".tmp" + std::to_string(::getpid()) + "." + std::to_string(serial++);
  try {
    write_all(temporary, bytes);
    if (std::rename(temporary.c_str(), path.c_str()) != 0) fail_with_errno(path, "cannot be replaced");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  // The new name is durable only when its folder is.
  const size_t slash = path.rfind('/');
  const File folder(slash == std::string::npos ? "." : path.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
  if (folder.get() >= 0) ::fsync(folder.get());
}

}  // namespace gppcore
