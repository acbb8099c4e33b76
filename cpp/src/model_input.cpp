// What a host can get wrong in the columns of a model, by predictor.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gppcore/error.hpp"
#include "gppcore/model.hpp"
#include "variables.hpp"

namespace gppcore {
namespace {

// Fill values of netCDF files, of models and of tower networks.
template <class T>
bool is_fill(T x) {
  return x == T(-9999) || x == T(-999) || x == T(-32768) || std::abs(x) >= T(1e20);
}

template <class T>
ModelCount kind_of(T x, T missing, const ModelQuantity& q) {
  if (x != x || x == missing) return kCountMissing;
  if (std::isinf(x)) return kCountInfinite;
  if (is_fill(x)) return kCountFill;
  if (x < static_cast<T>(q.low)) return kCountBelow;
  return x > static_cast<T>(q.high) ? kCountAbove : kModelCounts;
}

std::string range_of(const ModelQuantity& q) {
  char text[96];
  std::snprintf(text, sizeof text, "%g to %g %s", q.low, q.high, q.unit.c_str());
  return text;
}

// The variable of the table that a predictor is, or null.
const Variable* known(const std::string& name, const ModelQuantity& q) {
  for (const Variable& v : kVariables)
    if (name == v.name && q.unit == v.unit) return &v;
  return nullptr;
}

// Whether values that are right one by one look like another unit together, of which the largest tells.
bool looks_alike(const std::string& name, const ModelQuantity& q, double largest) {
  const Variable* v = known(name, q);
  return v && v->look_alike && largest >= v->look_alike_low && largest <= v->look_alike_high;
}

constexpr int64_t kFewest = 100;  // values that tell

// The first value of a column that is neither missing nor right.
template <class T>
std::string describe(const std::string& name, const ModelQuantity& q, const int64_t* found, T value, int64_t row) {
  constexpr const char* kWhat[kModelCounts] = {"missing", "infinite", "fill values",
                                               "below",   "above",    "in another unit"};
  char text[64];
  std::snprintf(text, sizeof text, ", got %g in row %lld (", static_cast<double>(value), static_cast<long long>(row));
  std::string fault = name + ": expected " + range_of(q) + " or a missing value" + text;
  if (const Variable* v = found[kCountOtherUnit] || found[kCountAbove] ? known(name, q) : nullptr; v && v->look_alike)
    fault += std::string("is it in ") + v->look_alike + "? ";
  const char* separator = "";
  for (int k = kCountInfinite; k < kModelCounts; ++k) {
    if (found[k] == 0) continue;
    fault += separator + std::to_string(found[k]) + " " + kWhat[k];
    separator = ", ";
  }
  return fault + ")";
}

}  // namespace

template <class T>
void check_columns(const ModelRecipe& recipe, const T* const* columns, const int64_t* strides, int64_t n_rows,
                   T missing, int64_t* counts) {
  static const ModelQuantity unknown;
  std::string fault;
  for (size_t f = 0; f < recipe.predictors.size(); ++f) {
    const ModelQuantity& q = recipe.quantities.empty() ? unknown : recipe.quantities[f];
    int64_t found[kModelCounts + 1] = {}, first = -1, at = 0;  // the last one counts those that are right
    T largest = -std::numeric_limits<T>::infinity();
    for (int64_t i = 0; i < n_rows; ++i) {
      const T x = columns[f][i * strides[f]];
      const ModelCount kind = kind_of(x, missing, q);
      ++found[kind];
      if (first < 0 && kind != kCountMissing && kind != kModelCounts) first = i;
      if (kind == kModelCounts && x > largest) largest = x, at = i;
    }
    if (first < 0 && found[kModelCounts] >= kFewest && looks_alike(recipe.predictors[f], q, largest)) {
      found[kCountOtherUnit] = found[kModelCounts];
      first = at;
    }
    if (counts) std::copy_n(found, static_cast<int>(kModelCounts), counts + f * kModelCounts);
    if (first >= 0 && fault.empty())
      fault = describe(recipe.predictors[f], q, found, columns[f][first * strides[f]], first);
  }
  if (!fault.empty()) throw Error(ErrorCode::range, fault);
}

template void check_columns<float>(const ModelRecipe&, const float* const*, const int64_t*, int64_t, float, int64_t*);
template void check_columns<double>(const ModelRecipe&, const double* const*, const int64_t*, int64_t, double,
                                    int64_t*);

}  // namespace gppcore
