// The .gppf file, version 1, little-endian:
//   Header (64 bytes), tree_begin i64[n_trees + 1], threshold f64[n_nodes], value f64[n_nodes],
//   feature, left, right i32[n_nodes], missing_left u8[n_nodes], feature names, each ended by a NUL byte.
// Every array begins at a multiple of its element size. The checksum covers all that follows it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "crc32c.hpp"
#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "forest files and mask kernels are little-endian");

namespace gppcore {
namespace {

constexpr char kMagic[8] = {'G', 'P', 'P', 'F', '\r', '\n', '\x1a', '\n'};
constexpr uint32_t kVersion = 1;

struct Header {
  char magic[8];
  uint32_t version, crc32c;
  uint64_t file_size, n_trees, n_nodes, name_bytes;
  int64_t n_features;
  double base;
};
static_assert(sizeof(Header) == 64);
constexpr size_t kChecked = offsetof(Header, crc32c) + sizeof(uint32_t);

[[noreturn]] void fail(ErrorCode code, const std::string& path, const std::string& fault) {
  throw Error(code, path + ": " + fault);
}

[[noreturn]] void fail_with_errno(const std::string& path, const char* action) {
  const int reason = errno;
  fail(reason == ENOENT ? ErrorCode::missing_file : ErrorCode::forest_format, path,
       std::string(action) + ": " + std::strerror(reason));
}

class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::vector<char> read_all(const std::string& path) {
  const File file(path, O_RDONLY);
  struct stat info{};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) fail_with_errno(path, "cannot be opened");
  if (!S_ISREG(info.st_mode)) fail(ErrorCode::forest_format, path, "expected a regular file");
  std::vector<char> bytes(static_cast<size_t>(info.st_size));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_with_errno(path, "cannot be read");
    if (n == 0) fail(ErrorCode::forest_format, path, "was cut short while it was read");
    done += static_cast<size_t>(n);
  }
  return bytes;
}

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

// Consecutive arrays of a checked buffer.
class Reader {
 public:
  explicit Reader(const char* from) : at_(from) {}
  template <class T>
  std::vector<T> take(uint64_t n) {
    std::vector<T> values(static_cast<size_t>(n));
    if (n > 0) std::memcpy(values.data(), at_, values.size() * sizeof(T));
    at_ += values.size() * sizeof(T);
    return values;
  }

 private:
  const char* at_;
};

template <class T>
void append(std::vector<char>& bytes, const std::vector<T>& values) {
  const char* from = reinterpret_cast<const char*>(values.data());
  bytes.insert(bytes.end(), from, from + values.size() * sizeof(T));
}

constexpr uint64_t kBytesPerNode = 2 * sizeof(double) + 3 * sizeof(int32_t) + 1;

// The header, if the file is whole: after this, every size in it is bounded by the size of the file.
Header check_whole(const std::vector<char>& bytes) {
  const auto refuse = [](const std::string& fault) { throw Error(ErrorCode::forest_format, fault); };
  Header h;
  if (bytes.size() < sizeof h) refuse("expected a forest file, got " + std::to_string(bytes.size()) + " bytes");
  std::memcpy(&h, bytes.data(), sizeof h);
  if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0) refuse("expected a forest file, got another format");
  if (h.version != kVersion)
    refuse("version: expected " + std::to_string(kVersion) + ", got " + std::to_string(h.version));
  if (h.file_size != bytes.size())
    refuse("size: expected " + std::to_string(h.file_size) + " bytes, got " + std::to_string(bytes.size()));
  if (crc32c(bytes.data() + kChecked, bytes.size() - kChecked) != h.crc32c) refuse("checksum does not match");
  const uint64_t room = bytes.size() - sizeof h;
  const bool small = h.n_trees <= room / sizeof(int64_t) && h.n_nodes <= room / kBytesPerNode && h.name_bytes <= room;
  if (!small || (h.n_trees + 1) * sizeof(int64_t) + h.n_nodes * kBytesPerNode + h.name_bytes != room)
    refuse("sizes in the header do not add up to the size of the file");
  return h;
}

ForestArrays parse(const std::vector<char>& bytes) {
  const Header h = check_whole(bytes);
  Reader reader(bytes.data() + sizeof h);
  ForestArrays a;
  a.n_features = h.n_features;
  a.base = h.base;
  a.tree_begin = reader.take<int64_t>(h.n_trees + 1);
  a.threshold = reader.take<double>(h.n_nodes);
  a.value = reader.take<double>(h.n_nodes);
  a.feature = reader.take<int32_t>(h.n_nodes);
  a.left = reader.take<int32_t>(h.n_nodes);
  a.right = reader.take<int32_t>(h.n_nodes);
  a.missing_left = reader.take<uint8_t>(h.n_nodes);
  const std::vector<char> names = reader.take<char>(h.name_bytes);
  for (auto begin = names.begin(); begin != names.end();) {
    const auto end = std::find(begin, names.end(), '\0');
    if (end == names.end()) throw Error(ErrorCode::forest_format, "feature names: expected a NUL byte at the end");
    a.feature_names.emplace_back(begin, end);
    begin = end + 1;
  }
  return a;
}

}  // namespace

Forest Forest::load(const std::string& path) {
  const std::vector<char> bytes = read_all(path);
  try {
    return Forest(parse(bytes));
  } catch (const Error& e) {
    fail(e.code(), path, e.what());
  }
}

void Forest::save(const std::string& path) const {
  std::vector<char> bytes(sizeof(Header)), names;
  for (const std::string& name : arrays_.feature_names) {
    if (name.find('\0') != std::string::npos)
      fail(ErrorCode::forest_format, path, "feature names: expected no NUL byte, got one");
    names.insert(names.end(), name.c_str(), name.c_str() + name.size() + 1);
  }
  append(bytes, arrays_.tree_begin);
  append(bytes, arrays_.threshold);
  append(bytes, arrays_.value);
  append(bytes, arrays_.feature);
  append(bytes, arrays_.left);
  append(bytes, arrays_.right);
  append(bytes, arrays_.missing_left);
  append(bytes, names);
  Header h{
      {},           kVersion,     0,           bytes.size(), static_cast<uint64_t>(n_trees()), arrays_.feature.size(),
      names.size(), n_features(), arrays_.base};
  std::memcpy(h.magic, kMagic, sizeof kMagic);
  std::memcpy(bytes.data(), &h, sizeof h);
  h.crc32c = crc32c(bytes.data() + kChecked, bytes.size() - kChecked);
  std::memcpy(bytes.data(), &h, sizeof h);

  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
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
