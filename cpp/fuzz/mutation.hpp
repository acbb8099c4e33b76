// Seeds and mutants of forest files.
#pragma once
#include <cstdint>
#include <vector>

// splitmix64: small, and the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t n) { return next() % n; }
  bool chance(int percent) { return below(100) < static_cast<uint64_t>(percent); }

 private:
  uint64_t state_;
};

// Whole files of forests that differ in what they use: categories, outputs, links, large trees, names.
std::vector<std::vector<char>> make_seeds(Random& random);

// A file of many small trees, in which what a tree costs shows most.
std::vector<char> make_small_trees(int n_leaves, Random& random);

// Bits flipped, numbers replaced, parts moved or cut; in 90 % size and checksum are made right again.
std::vector<char> mutate(std::vector<char> bytes, Random& random);
