// New leaf values for the same structure: tree after tree, each leaf moves towards what the trees leave unexplained.
#include <algorithm>
#include <vector>

#include "float_environment.hpp"
#include "gppcore/forest.hpp"
#include "parallel.hpp"

namespace gppcore {
namespace {

// Sums are made within chunks of rows, then over the chunks in order: the same bits for any number of threads.
constexpr int64_t kChunk = 32768;

struct LeafSum {
  double weight = 0.0, residual = 0.0;
};

// The residuals of all rows, and the steps from one tree to the next.
class Refit {
 public:
  Refit(const ForestView& arrays, const ForestRefit& options, const int32_t* leaves, int64_t n_rows,
        std::vector<double> residual)
      : a_(arrays), options_(options), leaves_(leaves), n_rows_(n_rows), residual_(std::move(residual)) {}

  std::vector<double> values() {
    std::vector<double> value(a_.value.begin(), a_.value.end());
    std::vector<int64_t> nodes;
    for (int64_t t = 0; t < n_trees(); ++t) {
      nodes.clear();
      for (int64_t k = a_.tree_begin[t]; k < a_.tree_begin[t + 1]; ++k)
        if (a_.feature[k] < 0) nodes.push_back(k);
      add_up(t, nodes.size());
      for (size_t i = 0; i < nodes.size(); ++i)
        for (int64_t v = 0; v < a_.leaf_width; ++v)
          value[nodes[i] * a_.leaf_width + v] += steps_[i * a_.leaf_width + v];
    }
    return value;
  }

 private:
  int64_t n_trees() const { return static_cast<int64_t>(a_.tree_output.size()); }

  // Takes the steps of the tree before out of the residuals and sets steps_ to those of tree `t`.
  void add_up(int64_t t, size_t n_leaves) {
    const int64_t width = a_.leaf_width, n_chunks = (n_rows_ + kChunk - 1) / kChunk;
    const size_t n_sums = n_leaves * static_cast<size_t>(width);
    std::vector<LeafSum> sums(n_sums * static_cast<size_t>(n_chunks));
    const auto chunk = [&](int64_t begin, int64_t end) {
      LeafSum* sum = sums.data() + begin / kChunk * static_cast<int64_t>(n_sums);
      for (int64_t row = begin; row < end; ++row) {
        double* r = residual_.data() + row * a_.n_outputs;
        const int32_t* leaf = leaves_ + row * n_trees() + t;
        const double weight = options_.weight ? options_.weight[row] : 1.0;
        for (int64_t v = 0; v < width; ++v) {
          if (t > 0) r[a_.tree_output[t - 1] + v] -= steps_[leaf[-1] * width + v];
          LeafSum& to = sum[*leaf * width + v];
          to.weight += weight;
          to.residual += weight * r[a_.tree_output[t] + v];
        }
      }
    };
    parallel_for(n_rows_, kChunk, options_.n_threads, chunk, options_.check);

    std::vector<double> steps(n_sums, 0.0);
    for (size_t i = 0; i < n_sums; ++i) {
      LeafSum all;
      for (size_t c = 0; c < static_cast<size_t>(n_chunks); ++c) {
        all.weight += sums[c * n_sums + i].weight;
        all.residual += sums[c * n_sums + i].residual;
      }
      if (all.weight > 0.0) steps[i] = options_.rate * all.residual / (all.weight + options_.shrinkage);
    }
    steps_ = std::move(steps);
  }

  const ForestView& a_;
  const ForestRefit& options_;
  const int32_t* leaves_;
  int64_t n_rows_;
  std::vector<double> residual_;  // n_rows * n_outputs
  std::vector<double> steps_;     // of the leaves of one tree
};

}  // namespace

template <class T>
std::vector<double> Forest::refit_leaves(const T* const* columns, const int64_t* strides, int64_t n_rows,
                                         const double* y, const ForestRefit& options) const {
  const FloatEnvironment environment;
  const ForestRun run{true, options.n_threads, options.check};
  std::vector<T> predicted(static_cast<size_t>(n_rows * n_outputs()));
  predict_columns(columns, strides, n_rows, predicted.data(), run);
  std::vector<double> residual(predicted.size());
  for (size_t i = 0; i < residual.size(); ++i) residual[i] = y[i] - static_cast<double>(predicted[i]);
  std::vector<int32_t> leaves(static_cast<size_t>(n_rows * n_trees()));
  apply_columns(columns, strides, n_rows, leaves.data(), run);
  return Refit(arrays_, options, leaves.data(), n_rows, std::move(residual)).values();
}

template std::vector<double> Forest::refit_leaves(const float* const*, const int64_t*, int64_t, const double*,
                                                  const ForestRefit&) const;
template std::vector<double> Forest::refit_leaves(const double* const*, const int64_t*, int64_t, const double*,
                                                  const ForestRefit&) const;

}  // namespace gppcore
