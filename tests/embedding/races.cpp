// Forests, models, regridding and canopies in many threads, from several callers at once: every caller gets the numbers
// of a single thread. Run under the thread sanitiser.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gppcore/forest.hpp"
#include "gppcore/model.hpp"
#include "gppcore/regrid.hpp"
#include "gppcore/two_leaf.hpp"

namespace {

using Values = std::vector<double>;
constexpr int kFeatures = 3;
constexpr int64_t kRows = 9000;

// Complete trees of `depth` levels; with many leaves they are walked, with few they are masks.
gppcore::Forest make_forest(int64_t n_features, int n_trees, int depth) {
  std::mt19937 random(static_cast<unsigned>(depth));
  std::uniform_real_distribution<double> uniform;
  gppcore::ForestArrays a;
  a.n_features = n_features;
  a.base = {0.5};
  a.tree_begin = {0};
  const int n_splits = (1 << depth) - 1, n_nodes = 2 * n_splits + 1;
  for (int t = 0; t < n_trees; ++t) {
    for (int i = 0; i < n_nodes; ++i) {
      const bool inner = i < n_splits;
      a.feature.push_back(inner ? static_cast<int32_t>(random() % static_cast<unsigned>(n_features)) : -1);
      a.left.push_back(inner ? 2 * i + 1 : 0);
      a.right.push_back(inner ? 2 * i + 2 : 0);
      a.threshold.push_back(inner ? uniform(random) : 0.0);
      a.value.push_back(inner ? 0.0 : uniform(random));
      a.flags.push_back(0);
    }
    a.tree_begin.push_back(static_cast<int64_t>(a.feature.size()));
    a.tree_output.push_back(0);
  }
  a.set_begin = {0};
  return gppcore::Forest(std::move(a));
}

const Values& numbers() {
  static const Values values = [] {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> uniform;
    Values v(static_cast<size_t>(kFeatures * kRows));
    for (double& x : v) x = random() % 20 ? uniform(random) : std::numeric_limits<double>::quiet_NaN();
    return v;
  }();
  return values;
}

struct Table {
  std::vector<const double*> columns;
  std::vector<int64_t> strides, steps;
  explicit Table(int n) : strides(static_cast<size_t>(n), 1), steps(static_cast<size_t>(n), 0) {
    for (int f = 0; f < n; ++f) columns.push_back(numbers().data() + f * kRows);
  }
};

Values forest(const gppcore::Forest& of, int n_threads) {
  const Table x(kFeatures);
  Values out(kRows);
  of.predict_columns(x.columns.data(), x.strides.data(), kRows, out.data(), {false, n_threads, {}});
  std::vector<int32_t> leaves(static_cast<size_t>(kRows * of.n_trees()));
  of.apply_columns(x.columns.data(), x.strides.data(), kRows, leaves.data(), {false, n_threads, {}});
  for (const int32_t leaf : leaves) out.push_back(leaf);
  const Values refitted =
      of.refit_leaves(x.columns.data(), x.strides.data(), kRows, numbers().data(), {nullptr, 5.0, 1.0, n_threads, {}});
  out.insert(out.end(), refitted.begin(), refitted.end());
  return out;
}

Values model(const gppcore::Model& of, int n_threads) {
  const Table x(kFeatures);
  Values out(3 * kRows);
  of.predict_steps(x.columns.data(), x.strides.data(), x.steps.data(), kRows, 1,
                   gppcore::ModelOutput<double>{out.data(), out.data() + kRows, out.data() + 2 * kRows},
                   {false, n_threads, {}});
  return out;
}

Values regrid(int n_threads) {
  const gppcore::Nesting grid{10, 10, 8};
  const Values area(80, 1.0);
  const double* fine = numbers().data();
  Values coarse(100), share(100), out(6400);
  gppcore::aggregate(fine, grid, area.data(), 0.3, coarse.data(), share.data(), n_threads);
  Values all = coarse;
  gppcore::downscale_conservative(coarse.data(), grid, out.data(), n_threads);
  all.insert(all.end(), out.begin(), out.end());
  gppcore::downscale_bilinear(coarse.data(), grid, true, out.data(), n_threads);
  all.insert(all.end(), out.begin(), out.end());
  gppcore::downscale_covariate(coarse.data(), grid, fine, area.data(), out.data(), n_threads);
  all.insert(all.end(), out.begin(), out.end());
  gppcore::downscale_smooth(coarse.data(), grid, true, area.data(), out.data(), n_threads);
  all.insert(all.end(), out.begin(), out.end());
  return all;
}

Values canopies(int n_threads) {
  // sw, tair, vpd, wind, cos_zenith, ca, lai, clumping, stress, vcmax25, g1; diffuse from clearness.
  const double scale[] = {900, 30, 2000, 5, 1, 600, 6, 1, 1, 90, 9};
  Values inputs[gppcore::kTwoLeafInputs];
  gppcore::TwoLeafGrid<double> grids[gppcore::kTwoLeafInputs];
  for (int j = 0; j < gppcore::kDiffuseFraction; ++j) {
    for (int64_t i = 0; i < kRows; ++i)
      inputs[j].push_back(scale[j] * (0.4 + 0.6 * std::fabs(std::sin(static_cast<double>(i + 7 * j)))));
    grids[j] = {inputs[j].data(), 0, 1, -1e9, 1e9};
  }
  grids[gppcore::kDiffuseFraction] = {nullptr, 0, 0, 0.0, 1.0};
  const gppcore::TwoLeafParameters pft{0.01, 0.1, 20, 3, 1, 0.2, true, false, gppcore::kRobust, false, false};
  Values out(2 * kRows);
  double* to[gppcore::kTwoLeafOutputs] = {out.data(), out.data() + kRows};
  if (gppcore::two_leaf(pft, grids, 1, kRows, to, n_threads) != -1) throw std::runtime_error("out of range");
  return out;
}

bool same(const Values& a, const Values& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

}  // namespace

int main() {
  const gppcore::Forest masks = make_forest(kFeatures, 40, 3), walked = make_forest(kFeatures, 8, 9);
  const gppcore::Forest member = make_forest(kFeatures + 1, 20, 3);
  gppcore::ModelRecipe recipe;
  recipe.predictors = {"a", "b", "c"};
  recipe.sources = {"process"};
  recipe.members = {{"one", gppcore::ModelMemberKind::ratio, 1, 0.5, 0.5},
                    {"two", gppcore::ModelMemberKind::residual, 1, 0.3, 0.0}};
  recipe.process_weight = 0.2;
  recipe.gate = 0.25;
  recipe.interval = gppcore::ModelInterval{1.7, 0.2, 0.9, 0.1};
  const gppcore::Model of_forests(recipe, {masks}, {member, member});
  const std::vector<std::function<Values(int)>> work = {[&](int n) { return forest(masks, n); },
                                                        [&](int n) { return forest(walked, n); },
                                                        [&](int n) { return model(of_forests, n); }, regrid, canopies};
  std::vector<Values> expected;
  for (const auto& each : work) expected.push_back(each(1));
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> callers;
  for (size_t c = 0; c < wrong.size(); ++c)
    callers.emplace_back([&, c] {
      for (size_t i = 0; i < work.size(); ++i)
        for (const int n_threads : {1, 3, 8}) {
          const size_t which = (i + c) % work.size();
          wrong[c] += !same(work[which](n_threads), expected[which]);
        }
    });
  for (auto& caller : callers) caller.join();
  for (const int n : wrong)
    if (n) return std::printf("%d results differ\n", n), 1;
  std::puts("whole");
  return 0;
}
