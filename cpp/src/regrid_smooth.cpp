// Smooth downscaling with given means. The surface is bilinear between nodes at the centres of coarse cells (as in
// downscale_bilinear, so it is continuous), and its mean over a cell is a weighted mean of the 3 x 3 nodes around
// it: M g = c for node values g and cell means c. The own node weighs at least 9/16 and all weights add up to 1, so
// that the eigenvalues of M lie in [1/8, 1], and Chebyshev iteration halves the error at least every step.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "float_environment.hpp"
#include "gppcore/error.hpp"
#include "parallel.hpp"
#include "regrid_common.hpp"

namespace gppcore {
namespace {

constexpr double kTolerance = 1e-9;  // of the largest value; what is left is added to each cell at the end
constexpr int kMaxSteps = 100;
constexpr double kLargest = 1e300;  // of values, whose sums must not overflow

// Weights of the nodes of one quarter of a coarse cell: own, beside it, above or below it, and across the corner;
// summed over its fine cells, where only the neighbours in `present` (bits 0, 1 and 2) have values.
struct Quarter {
  double weight[4];
};

Quarter quarter(const Nesting& grid, const double* distance, const double* row_area, bool south, bool east,
                int present) {
  const int64_t k = grid.factor, half = k / 2;
  Quarter sum{};
  for (int64_t r = south ? half : 0; r < (south ? k : half); ++r)
    for (int64_t j = east ? half : 0; j < (east ? k : half); ++j) {
      const double fy = distance[r], fx = distance[j];
      double w[4] = {(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx};
      double total = w[0];
      for (int n = 0; n < 3; ++n) total += present >> n & 1 ? w[n + 1] : (w[n + 1] = 0.0);
      for (int n = 0; n < 4; ++n) sum.weight[n] += row_area[r] * w[n] / total;
    }
  return sum;
}

// The coarse grid with a border of one cell, missing or, in a periodic longitude, of the other side.
template <class T>
class Surface {
 public:
  Surface(const T* coarse, Nesting grid, bool periodic, const double* row_area, int n_threads)
      : grid_(grid), periodic_(periodic), n_threads_(n_threads), width_(grid.n_lon + 2) {
    const auto cells = static_cast<size_t>((grid.n_lat + 2) * width_);
    present_.assign(cells, 0);
    nodes_.assign(cells, 0.0);
    mean_.assign(static_cast<size_t>(grid.n_lat * grid.n_lon), 0.0);
    low_.assign(mean_.size(), 0.0);
    stencil_.assign(9 * mean_.size(), 0.0);
    read(coarse);
    const auto distance = centre_distances(grid.factor);
    parallel_for(grid.n_lat, 8, n_threads, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) set_row(i, distance.data(), row_area + i * grid_.factor);
    });
    solve();
  }

  // Node values of a row, NaN where missing, to out[n_lon].
  void nodes(int64_t row, double* out) const {
    const int64_t at = (row + 1) * width_ + 1;
    for (int64_t c = 0; c < grid_.n_lon; ++c) out[c] = present_[at + c] ? nodes_[at + c] : std::nan("");
  }
  // Bounds of a row from below.
  const double* low(int64_t row) const { return low_.data() + row * grid_.n_lon; }

 private:
  template <class Values>
  void wrap(Values* row) const {
    if (!periodic_) return;
    row[0] = row[grid_.n_lon];
    row[grid_.n_lon + 1] = row[1];
  }

  void read(const T* coarse) {
    for (int64_t i = 0; i < grid_.n_lat; ++i) {
      const int64_t at = (i + 1) * width_ + 1;
      for (int64_t c = 0; c < grid_.n_lon; ++c) {
        const double v = static_cast<double>(coarse[i * grid_.n_lon + c]);
        // All nodes are solved together: a sum that overflows would make every cell NaN.
        if (std::abs(v) > kLargest)
          throw Error(ErrorCode::range, "coarse: expected values of -1e300 to 1e300 or NaN, got " +
                                            std::string(std::isinf(v) ? "an infinite value" : "a larger one") +
                                            " in row " + std::to_string(i) + ", column " + std::to_string(c));
        present_[at + c] = v == v;
        if (v == v) nodes_[at + c] = mean_[i * grid_.n_lon + c] = v;
        largest_ = std::max(largest_, v == v ? std::abs(v) : 0.0);
      }
      wrap(&present_[at - 1]);
      wrap(&nodes_[at - 1]);
    }
  }

  void set_row(int64_t i, const double* distance, const double* row_area) {
    Quarter table[2][2][8];
    for (int n = 0; n < 32; ++n)
      table[n >> 4][n >> 3 & 1][n & 7] = quarter(grid_, distance, row_area, n >> 4, n >> 3 & 1, n & 7);
    double area = 0.0;
    for (int64_t r = 0; r < grid_.factor; ++r) area += row_area[r] * static_cast<double>(grid_.factor);
    for (int64_t c = 0; c < grid_.n_lon; ++c) {
      const int64_t at = (i + 1) * width_ + 1 + c;
      if (!present_[at]) continue;
      double* stencil = stencil_.data() + 9 * i * grid_.n_lon + c;
      bool positive = true;
      for (int q = 0; q < 4; ++q) {
        const int64_t dy = q >> 1 ? 1 : -1, dx = q & 1 ? 1 : -1;
        const int64_t cells[4] = {0, dx, dy * width_, dy * width_ + dx};
        const int64_t places[4] = {4, 4 + dx, 4 + 3 * dy, 4 + 3 * dy + dx};
        int present = 0;
        for (int n = 1; n < 4; ++n) present |= (present_[at + cells[n]] != 0) << (n - 1);
        for (int n = 0; n < 4; ++n) {
          stencil[places[n] * grid_.n_lon] += table[q >> 1][q & 1][present].weight[n] / area;
          positive &= nodes_[at + cells[n]] >= 0.0;  // still the coarse values, 0 where missing
        }
      }
      low_[i * grid_.n_lon + c] = positive ? 0.0 : -std::numeric_limits<double>::infinity();
    }
  }

  void solve() {
    constexpr double centre = (1.0 + 0.125) / 2, radius = (1.0 - 0.125) / 2;
    std::vector<double> next(nodes_), step(mean_.size(), 0.0), residual(static_cast<size_t>(grid_.n_lat));
    double keep = 0.0, gain = 1.0 / centre, rho = radius / centre;
    for (int n = 0; n < kMaxSteps; ++n) {
      relax(keep, gain, step, next, residual);
      if (*std::max_element(residual.begin(), residual.end()) <= kTolerance * largest_) return;
      nodes_.swap(next);
      const double previous = rho;
      rho = 1.0 / (2.0 * centre / radius - previous);
      keep = rho * previous;
      gain = 2.0 * rho / radius;
    }
  }

  void relax(double keep, double gain, std::vector<double>& step, std::vector<double>& next,
             std::vector<double>& residual) {
    const int64_t n = grid_.n_lon;
    parallel_for(grid_.n_lat, std::max<int64_t>(8, 65536 / std::max<int64_t>(n, 1)), n_threads_,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     const double* north = nodes_.data() + i * width_;
                     double* out = next.data() + (i + 1) * width_;
                     const NodeRow row{
                         stencil_.data() + 9 * i * n, north, north + width_, north + 2 * width_, mean_.data() + i * n,
                         step.data() + i * n,         out};
                     residual[static_cast<size_t>(i)] = kernels().regrid.relax_row(row, n, keep, gain);
                     wrap(out);
                   }
                 });
  }

  Nesting grid_;
  bool periodic_;
  int n_threads_;
  int64_t width_;
  double largest_ = 0.0;
  std::vector<char> present_;
  std::vector<double> nodes_, mean_, low_, stencil_;
};

}  // namespace

template <class T>
void downscale_smooth(const T* coarse, Nesting grid, bool periodic_lon, const double* fine_row_area, T* fine,
                      int n_threads) {
  const FloatEnvironment environment;
  check(grid);
  if (grid.n_lat == 0 || grid.n_lon == 0) return;
  const Surface<T> surface(coarse, grid, periodic_lon, fine_row_area, n_threads);
  const bool stream = streams<T>(grid);
  const auto distance = centre_distances(grid.factor);
  const int64_t columns = grid.n_lon_fine();
  parallel_for(grid.n_lat, std::max<int64_t>(8, grain(grid)), n_threads, [&](int64_t begin, int64_t end) {
    ExpandedRows<double> expanded(grid, periodic_lon, distance.data());
    std::vector<double> nodes(static_cast<size_t>(grid.n_lon)), block(static_cast<size_t>(grid.factor * columns)),
        work(static_cast<size_t>(regrid_work_size(grid.factor)));
    const auto row = [&](int64_t i) {
      i = std::clamp<int64_t>(i, 0, grid.n_lat - 1);
      surface.nodes(i, nodes.data());
      return expanded.row(i, nodes.data());
    };
    for (int64_t i = begin; i < end; ++i) {
      const ExpandedRow north = row(i - 1), here = row(i), south = row(i + 1);
      regrid_kernels_of<double>().blend_rows(north, here, south, columns, grid.factor, distance.data(), block.data(),
                                             false);
      regrid_kernels_of<T>().fit_rows(block.data(), coarse + i * grid.n_lon, surface.low(i), grid.n_lon, grid.factor,
                                      fine_row_area + i * grid.factor, fine + i * grid.factor * columns, work.data(),
                                      stream);
    }
  });
}

template GPPCORE_VISIBLE void downscale_smooth<float>(const float*, Nesting, bool, const double*, float*, int);
template GPPCORE_VISIBLE void downscale_smooth<double>(const double*, Nesting, bool, const double*, double*, int);

}  // namespace gppcore
