// Area-weighted aggregation and downscaling between a coarse grid and the fine grid nested in it.
#pragma once
#include <cstdint>

namespace gppcore {

// A coarse grid of n_lat x n_lon cells, each of them cut into factor x factor fine cells.
struct Nesting {
  int64_t n_lat, n_lon, factor;
  int64_t n_lon_fine() const { return n_lon * factor; }
};

// All fields are C-contiguous (lat, lon); NaN is a missing cell; T is float or double, sums are in double.
// fine_row_area[n_lat * factor] holds the relative area of a cell in each fine row, > 0.

// Mean of the valid fine cells of every coarse cell; NaN where their share of the area is 0 or < min_valid.
template <class T>
void aggregate(const T* fine, Nesting grid, const double* fine_row_area, double min_valid, T* coarse, int n_threads);

// Every fine cell takes the value of its coarse cell.
template <class T>
void downscale_conservative(const T* coarse, Nesting grid, T* fine, int n_threads);

// Linear between the centres of coarse cells, over the valid ones; the outermost centres are held to the
// border of the grid, except in longitude when that is periodic.
template <class T>
void downscale_bilinear(const T* coarse, Nesting grid, bool periodic_lon, T* fine, int n_threads);

// coarse * covariate / (mean of the covariate over the coarse cell), NaN where the covariate is; uniform
// where that mean is 0. Throws Error(range) if the covariate has a negative or infinite value.
template <class T>
void downscale_covariate(const T* coarse, Nesting grid, const T* covariate, const double* fine_row_area, T* fine,
                         int n_threads);

}  // namespace gppcore
