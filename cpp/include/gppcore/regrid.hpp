// Area-weighted regridding: between a coarse grid and the fine grid nested in it, and between any two rectilinear
// grids.
#pragma once
#include <cstdint>

#include "gppcore/visibility.hpp"

namespace gppcore GPPCORE_VISIBLE {

// A coarse grid of n_lat x n_lon cells, each of them cut into factor x factor fine cells.
struct Nesting {
  int64_t n_lat, n_lon, factor;
  int64_t n_lon_fine() const { return n_lon * factor; }
};

// All fields are C-contiguous (lat, lon); NaN is a missing cell; T is float or double, sums are in double.
// fine_row_area[n_lat * factor] holds the relative area of a cell in each fine row, > 0.

// Areas of cells in the n rows between n + 1 latitudes in degrees, relative to the square of the radius and to a radian
// of longitude. Throws Error(range) if they are no edges.
void row_area(const double* lat_edges, int64_t n, double* area);

// Mean of the valid fine cells of every coarse cell, NaN where their share of the area is 0 or < min_valid; the
// share itself goes to `fraction` unless that is null.
template <class T>
void aggregate(const T* fine, Nesting grid, const double* fine_row_area, double min_valid, T* coarse, T* fraction,
               int n_threads);

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

// The bilinear surface whose mean over every valid coarse cell is the value of that cell. Where the cell and the
// valid ones around it are all >= 0, it is flattened towards the mean as far as needed to be >= 0. Throws
// Error(range) if `coarse` has an infinite value.
template <class T>
void downscale_smooth(const T* coarse, Nesting grid, bool periodic_lon, const double* fine_row_area, T* fine,
                      int n_threads);

// Weights along one axis: target cell i takes the source cells from first[i] on, with the weights offset[i] to
// offset[i + 1] of `weight`, >= 0; full[i] > 0 is the weight of a whole cell.
struct AxisWeights {
  int64_t n_source, n_target;
  const int64_t *first, *offset;
  const double *weight, *full;
};

// Weighted mean of the valid source cells of every target cell, the weights being products of those along the axes;
// NaN where the share of the whole weight is 0 or < min_valid. The share itself goes to `fraction` unless that is
// null. Along longitude, source cells are counted modulo their number. Throws Error(shape) if weights reach
// outside the source.
template <class T>
void regrid(const T* source, const AxisWeights& lat, const AxisWeights& lon, double min_valid, T* mean, T* fraction,
            int n_threads);

}  // namespace gppcore GPPCORE_VISIBLE
