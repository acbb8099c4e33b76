// C++17 over the C interface: handles that free themselves, exceptions instead of codes, vectors and strings. Nothing
// but this header and gppcore.h is needed, and it works with any compiler, since it links C functions alone.
#ifndef GPPCORE_HPP
#define GPPCORE_HPP
#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gppcore/gppcore.h"

namespace gpp {

// What gpp_last_error() said, and the code.
class Error : public std::runtime_error {
 public:
  Error(gpp_status code, const char* message) : std::runtime_error(message), code_(code) {}
  gpp_status code() const noexcept { return code_; }

 private:
  gpp_status code_;
};

inline void check(gpp_status status) {
  if (status != GPP_OK) throw Error(status, gpp_last_error());
}

// Throws unless the library that was loaded has the interface of this header.
inline void check_abi() {
  if (gpp_abi_version() != GPPCORE_ABI_VERSION) throw Error(GPP_ERROR_KERNEL, "libgppcore: expected another ABI");
}

namespace detail {
inline gpp_status predict(const gpp_forest* f, gpp_workspace* w, const float* const* c, const int64_t* s, int64_t n,
                          int raw, float* out) {
  return gpp_forest_predict_columns_f32(f, w, c, s, n, raw, out);
}
inline gpp_status predict(const gpp_forest* f, gpp_workspace* w, const double* const* c, const int64_t* s, int64_t n,
                          int raw, double* out) {
  return gpp_forest_predict_columns_f64(f, w, c, s, n, raw, out);
}
inline gpp_status predict(const gpp_model* m, gpp_workspace* w, const float* const* c, const int64_t* s, int64_t n,
                          float* gpp, float* low, float* high) {
  return gpp_model_predict_columns_f32(m, w, c, s, n, gpp, low, high);
}
inline gpp_status predict(const gpp_model* m, gpp_workspace* w, const double* const* c, const int64_t* s, int64_t n,
                          double* gpp, double* low, double* high) {
  return gpp_model_predict_columns_f64(m, w, c, s, n, gpp, low, high);
}
inline gpp_status check(const gpp_model* m, const gpp_workspace* w, const float* const* c, const int64_t* s, int64_t n,
                        int64_t* counts) {
  return gpp_model_check_f32(m, w, c, s, n, counts);
}
inline gpp_status check(const gpp_model* m, const gpp_workspace* w, const double* const* c, const int64_t* s, int64_t n,
                        int64_t* counts) {
  return gpp_model_check_f64(m, w, c, s, n, counts);
}
inline gpp_status two_leaf(const gpp_pft_parameters* p, const gpp_two_leaf_options* o, const float* const* in,
                           const int64_t* s, int64_t n, float* const* out) {
  return gpp_two_leaf_f32(p, o, in, s, n, out);
}
inline gpp_status two_leaf(const gpp_pft_parameters* p, const gpp_two_leaf_options* o, const double* const* in,
                           const int64_t* s, int64_t n, double* const* out) {
  return gpp_two_leaf_f64(p, o, in, s, n, out);
}
inline gpp_status aggregate(const gpp_regrid_plan* p, const float* fine, double min_valid, float* coarse, float* part) {
  return gpp_aggregate_f32(p, fine, min_valid, coarse, part);
}
inline gpp_status aggregate(const gpp_regrid_plan* p, const double* fine, double min_valid, double* coarse,
                            double* part) {
  return gpp_aggregate_f64(p, fine, min_valid, coarse, part);
}
inline gpp_status downscale(const gpp_regrid_plan* p, int method, const float* coarse, const float* by, float* fine) {
  return gpp_downscale_f32(p, method, coarse, by, fine);
}
inline gpp_status downscale(const gpp_regrid_plan* p, int method, const double* coarse, const double* by,
                            double* fine) {
  return gpp_downscale_f64(p, method, coarse, by, fine);
}

struct Free {
  void operator()(gpp_forest* p) const { gpp_forest_free(p); }
  void operator()(gpp_model* p) const { gpp_model_free(p); }
  void operator()(gpp_workspace* p) const { gpp_workspace_free(p); }
  void operator()(gpp_regrid_plan* p) const { gpp_regrid_plan_free(p); }
};
}  // namespace detail

// Scratch memory of one thread; Forest::workspace and Model::workspace make it.
class Workspace {
 public:
  explicit Workspace(gpp_workspace* own) : handle_(own) {}
  void set_missing(double missing) { check(gpp_workspace_set_missing(handle_.get(), missing)); }
  gpp_workspace* get() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<gpp_workspace, detail::Free> handle_;
};

class Forest {
 public:
  explicit Forest(const std::string& path) {
    gpp_forest* own = nullptr;
    check(gpp_forest_load(path.c_str(), &own));
    handle_.reset(own);
  }
  Forest(const void* data, int64_t size) {
    gpp_forest* own = nullptr;
    check(gpp_forest_load_buffer(data, size, &own));
    handle_.reset(own);
  }

  int64_t n_features() const { return info()[0]; }
  int64_t n_outputs() const { return info()[1]; }
  int64_t n_trees() const { return info()[2]; }
  std::string feature(int64_t i) const {
    const char* name = nullptr;
    check(gpp_forest_feature(get(), i, &name));
    return name;
  }
  Workspace workspace() const {
    gpp_workspace* own = nullptr;
    check(gpp_workspace_new(get(), &own));
    return Workspace(own);
  }
  // T is float or double.
  template <class T>
  void predict(Workspace& work, const T* const* columns, const int64_t* strides, int64_t n_rows, T* out,
               bool raw = false) const {
    check(detail::predict(get(), work.get(), columns, strides, n_rows, raw, out));
  }
  const gpp_forest* get() const noexcept { return handle_.get(); }

 private:
  std::array<int64_t, 3> info() const {
    std::array<int64_t, 3> n{};
    check(gpp_forest_info(get(), &n[0], &n[1], &n[2]));
    return n;
  }

  std::unique_ptr<gpp_forest, detail::Free> handle_;
};

struct Predictor {
  std::string name, unit;
  double low, high;
};

class Model {
 public:
  explicit Model(const std::string& path) {
    gpp_model* own = nullptr;
    check(gpp_model_load(path.c_str(), &own));
    handle_.reset(own);
  }
  Model(const void* data, int64_t size) {
    gpp_model* own = nullptr;
    check(gpp_model_load_buffer(data, size, &own));
    handle_.reset(own);
  }

  bool has_interval() const {
    int has = 0;
    check(gpp_model_info(get(), nullptr, nullptr, nullptr, &has));
    return has != 0;
  }
  std::vector<Predictor> predictors() const {
    int64_t n = 0;
    check(gpp_model_info(get(), &n, nullptr, nullptr, nullptr));
    std::vector<Predictor> list;
    for (int64_t i = 0; i < n; ++i) {
      const char *name = nullptr, *unit = nullptr;
      double low = 0.0, high = 0.0;
      check(gpp_model_predictor(get(), i, &name));
      check(gpp_model_predictor_unit(get(), i, &unit, &low, &high));
      list.push_back({name, unit, low, high});
    }
    return list;
  }
  Workspace workspace() const {
    gpp_workspace* own = nullptr;
    check(gpp_model_workspace_new(get(), &own));
    return Workspace(own);
  }
  // Throws what gpp_model_check finds.
  template <class T>
  void require_plausible(const T* const* columns, const int64_t* strides, int64_t n_rows,
                         const Workspace* work = nullptr) const {
    check(detail::check(get(), work ? work->get() : nullptr, columns, strides, n_rows, nullptr));
  }
  template <class T>
  void predict(Workspace& work, const T* const* columns, const int64_t* strides, int64_t n_rows, T* gpp,
               T* low = nullptr, T* high = nullptr) const {
    check(detail::predict(get(), work.get(), columns, strides, n_rows, gpp, low, high));
  }
  const gpp_model* get() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<gpp_model, detail::Free> handle_;
};

inline gpp_pft_parameters pft(const std::string& name) {
  gpp_pft_parameters parameters{};
  parameters.size = sizeof parameters;
  check(gpp_pft(name.c_str(), &parameters));
  return parameters;
}

// Options of the default mode in the calling thread.
inline gpp_two_leaf_options two_leaf_options() {
  gpp_two_leaf_options options{};
  options.size = sizeof options;
  options.n_threads = 1;
  return options;
}

// Columns of the canopy hours: in[GPP_TAIR] = tair.data(), stride[GPP_TAIR] = 1 and so on.
template <class T>
struct TwoLeaf {
  std::array<const T*, GPP_TWO_LEAF_INPUTS> in{};
  std::array<int64_t, GPP_TWO_LEAF_INPUTS> stride{};
  std::array<T*, GPP_TWO_LEAF_OUTPUTS> out{};

  void run(const gpp_pft_parameters& pft, int64_t n, const gpp_two_leaf_options& options = two_leaf_options()) const {
    check(detail::two_leaf(&pft, &options, in.data(), stride.data(), n, out.data()));
  }
};

class RegridPlan {
 public:
  RegridPlan(int64_t n_lat, int64_t n_lon, int64_t factor, const std::vector<double>& fine_row_area, bool periodic_lon,
             int n_threads = 1) {
    if (static_cast<int64_t>(fine_row_area.size()) != n_lat * factor)
      throw Error(GPP_ERROR_SHAPE, "fine_row_area: expected n_lat * factor values");
    gpp_regrid_plan* own = nullptr;
    check(gpp_regrid_plan_new(n_lat, n_lon, factor, fine_row_area.data(), periodic_lon, n_threads, &own));
    handle_.reset(own);
  }
  template <class T>
  void aggregate(const T* fine, double min_valid, T* coarse, T* fraction = nullptr) const {
    check(detail::aggregate(handle_.get(), fine, min_valid, coarse, fraction));
  }
  template <class T>
  void downscale(int method, const T* coarse, T* fine, const T* covariate = nullptr) const {
    check(detail::downscale(handle_.get(), method, coarse, covariate, fine));
  }

 private:
  std::unique_ptr<gpp_regrid_plan, detail::Free> handle_;
};

inline std::vector<double> row_area(const std::vector<double>& lat_edges) {
  std::vector<double> area(lat_edges.empty() ? 0 : lat_edges.size() - 1);
  check(gpp_row_area(lat_edges.data(), static_cast<int64_t>(area.size()), area.data()));
  return area;
}

}  // namespace gpp
#endif
