// Mutates forest files and tries each: mutate_forest [mutants] [seed]. Meant for a build with sanitisers, which end
// the program at the first fault. Fails too if a mutant takes longer than 1 s, or if reading it allocates more than
// 4 times the file and 16 MiB.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "gppcore/error.hpp"
#include "gppcore/forest.hpp"
#include "io/forest_format.hpp"
#include "mutation.hpp"
#include "try_forest.hpp"

// Of the sanitiser's library; gcc comes without the header.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void*, size_t),
                                                         void (*freed)(const volatile void*));
extern "C" size_t __sanitizer_get_allocated_size(const volatile void*);

namespace {

double cpu_seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

size_t in_use = 0, peak = 0;  // bytes that malloc and operator new have handed out

void allocated(const volatile void* at, size_t size) {
  if (at) peak = std::max(peak, in_use += size);
}
void freed(const volatile void* at) {
  if (at) in_use -= __sanitizer_get_allocated_size(at);
}

// Whether reading the mutant keeps to its memory; what it predicts with does not count.
bool reading_is_frugal(const std::vector<char>& bytes) {
  const size_t before = peak = in_use;
  try {
    const std::shared_ptr<char> own(new char[bytes.size()], std::default_delete<char[]>());
    std::copy(bytes.begin(), bytes.end(), own.get());
    const gppcore::Forest forest(gppcore::parse_forest(own.get(), bytes.size()), own);
  } catch (const gppcore::Error&) {
  }
  return peak - before <= 4 * bytes.size() + (16u << 20);
}

}  // namespace

int main(int argc, char** argv) {
  __sanitizer_install_malloc_and_free_hooks(allocated, freed);
  const long n_mutants = argc > 1 ? std::atol(argv[1]) : 5000;
  Random random(argc > 2 ? static_cast<uint64_t>(std::atol(argv[2])) : 1);
  const std::vector<std::vector<char>> seeds = make_seeds(random);
  for (const auto& seed : seeds)
    if (const std::string refusal = try_forest(seed.data(), seed.size()); !refusal.empty())
      return std::printf("a seed is refused: %s\n", refusal.c_str()), 1;

  for (const int n_leaves : {1, 2, 3, 5})
    if (!reading_is_frugal(make_small_trees(n_leaves, random)))
      return std::printf("reading trees of %d leaves allocated too much\n", n_leaves), 1;

  std::map<std::string, long> refusals;  // by the first word, which names the part of the file
  long n_accepted = 0;
  double slowest = 0.0;
  const double begin = cpu_seconds();
  for (long i = 0; i < n_mutants; ++i) {
    const std::vector<char> mutant = mutate(seeds[random.below(seeds.size())], random);
    const double start = cpu_seconds();
    try {
      const std::string refusal = try_forest(mutant.data(), mutant.size());
      refusal.empty() ? ++n_accepted : ++refusals[refusal.substr(0, refusal.find_first_of(" :,"))];
      if (!reading_is_frugal(mutant)) throw std::runtime_error("reading allocated too much");
    } catch (const std::exception& e) {
      if (FILE* to = std::fopen("mutant.gppf", "wb")) {
        std::fwrite(mutant.data(), 1, mutant.size(), to);
        std::fclose(to);
      }
      return std::printf("mutant %ld (kept as mutant.gppf): %s\n", i, e.what()), 1;
    }
    slowest = std::max(slowest, cpu_seconds() - start);
    if (slowest > 1.0) return std::printf("mutant %ld took %.1f s\n", i, slowest), 1;
  }
  std::printf("%ld mutants of %zu files: %ld accepted, slowest %.3f s, %.0f s in all\n", n_mutants, seeds.size(),
              n_accepted, slowest, cpu_seconds() - begin);
  for (const auto& [part, count] : refusals) std::printf("%8ld refused by: %s\n", count, part.c_str());
  return 0;
}
