#include "gppcore/regrid.hpp"

#include <cmath>
#include <vector>

#include "guard.hpp"

using gppcore::Error;
using gppcore::ErrorCode;
using gppcore::guard;
using gppcore::require;

struct gpp_regrid_plan {
  gppcore::Nesting grid;
  std::vector<double> row_area;
  bool periodic_lon;
  int n_threads;
};

namespace {

template <class T>
gpp_status aggregate(const gpp_regrid_plan* plan, const T* fine, double min_valid, T* coarse, T* fraction) {
  return guard([&] {
    require(plan, "plan");
    require(fine, "fine");
    require(coarse, "coarse");
    if (!(min_valid >= 0.0 && min_valid <= 1.0))
      throw Error(ErrorCode::range, "min_valid: expected a share from 0 to 1, got " + std::to_string(min_valid));
    gppcore::aggregate(fine, plan->grid, plan->row_area.data(), min_valid, coarse, fraction, plan->n_threads);
  });
}

template <class T>
gpp_status downscale(const gpp_regrid_plan* plan, int method, const T* coarse, const T* covariate, T* fine) {
  return guard([&] {
    require(plan, "plan");
    require(coarse, "coarse");
    require(fine, "fine");
    const double* area = plan->row_area.data();
    switch (method) {
      case GPP_DOWNSCALE_CONSERVATIVE:
        return gppcore::downscale_conservative(coarse, plan->grid, fine, plan->n_threads);
      case GPP_DOWNSCALE_COVARIATE:
        require(covariate, "covariate");
        return gppcore::downscale_covariate(coarse, plan->grid, covariate, area, fine, plan->n_threads);
      case GPP_DOWNSCALE_BILINEAR:
        return gppcore::downscale_bilinear(coarse, plan->grid, plan->periodic_lon, fine, plan->n_threads);
      case GPP_DOWNSCALE_SMOOTH:
        return gppcore::downscale_smooth(coarse, plan->grid, plan->periodic_lon, area, fine, plan->n_threads);
      default: throw Error(ErrorCode::range, "method: expected 0 to 3, got " + std::to_string(method));
    }
  });
}

}  // namespace

gpp_status gpp_regrid_plan_new(int64_t n_lat, int64_t n_lon, int64_t factor, const double* fine_row_area,
                               int periodic_lon, int n_threads, gpp_regrid_plan** plan) {
  return guard([&] {
    require(plan, "plan");
    constexpr int64_t kMost = int64_t{1} << 31;  // of a side of the fine grid, so that no product overflows
    const auto refuse = [](const char* name, int64_t got) {
      throw Error(ErrorCode::shape, std::string(name) +
                                        ": expected 1 or more, and fewer than 2^31 fine cells along each side, got " +
                                        std::to_string(got));
    };
    if (factor < 1 || factor >= kMost) refuse("factor", factor);
    if (n_lat < 1 || n_lat >= kMost / factor) refuse("n_lat", n_lat);
    if (n_lon < 1 || n_lon >= kMost / factor) refuse("n_lon", n_lon);
    gppcore::require_size(n_threads, "n_threads");
    std::vector<double> area(static_cast<size_t>(n_lat * factor), 1.0);
    if (fine_row_area) area.assign(fine_row_area, fine_row_area + n_lat * factor);
    for (const double a : area)
      if (!(a > 0.0) || !std::isfinite(a))
        throw Error(ErrorCode::range, "fine_row_area: expected finite values above 0, got " + std::to_string(a));
    *plan = new gpp_regrid_plan{{n_lat, n_lon, factor}, std::move(area), periodic_lon != 0, n_threads};
  });
}

void gpp_regrid_plan_free(gpp_regrid_plan* plan) { delete plan; }

gpp_status gpp_row_area(const double* lat_edges, int64_t n, double* area) {
  return guard([&] {
    gppcore::require_size(n, "n");
    require(lat_edges, "lat_edges");
    require(area, "area");
    gppcore::row_area(lat_edges, n, area);
  });
}

gpp_status gpp_aggregate_f32(const gpp_regrid_plan* plan, const float* fine, double min_valid, float* coarse,
                             float* fraction) {
  return aggregate(plan, fine, min_valid, coarse, fraction);
}

gpp_status gpp_aggregate_f64(const gpp_regrid_plan* plan, const double* fine, double min_valid, double* coarse,
                             double* fraction) {
  return aggregate(plan, fine, min_valid, coarse, fraction);
}

gpp_status gpp_downscale_f32(const gpp_regrid_plan* plan, int method, const float* coarse, const float* covariate,
                             float* fine) {
  return downscale(plan, method, coarse, covariate, fine);
}

gpp_status gpp_downscale_f64(const gpp_regrid_plan* plan, int method, const double* coarse, const double* covariate,
                             double* fine) {
  return downscale(plan, method, coarse, covariate, fine);
}
