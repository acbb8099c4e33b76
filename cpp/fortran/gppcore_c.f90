! The C interface of libgppcore as it is, made of gppcore.h by generate.py; module gppcore is the one to use.
module gppcore_constants
  use, intrinsic :: iso_c_binding
  implicit none
  public

  integer(c_int), parameter :: gppcore_abi_version = 2
  integer(c_int), parameter :: gpp_ok = 0
  integer(c_int), parameter :: gpp_error_shape = 1
  integer(c_int), parameter :: gpp_error_dtype = 2
  integer(c_int), parameter :: gpp_error_range = 3
  integer(c_int), parameter :: gpp_error_forest_format = 4
  integer(c_int), parameter :: gpp_error_missing_file = 5
  integer(c_int), parameter :: gpp_error_out_of_memory = 6
  integer(c_int), parameter :: gpp_error_kernel = 7
  integer(c_int), parameter :: gpp_error_disk_full = 8
  integer(c_int), parameter :: gpp_error_file_access = 9
  integer(c_int), parameter :: gpp_error_busy = 10
  integer(c_int), parameter :: gpp_check_missing = 0
  integer(c_int), parameter :: gpp_check_infinite = 1
  integer(c_int), parameter :: gpp_check_fill = 2
  integer(c_int), parameter :: gpp_check_below = 3
  integer(c_int), parameter :: gpp_check_above = 4
  integer(c_int), parameter :: gpp_check_other_unit = 5
  integer(c_int), parameter :: gpp_checks = 6
  integer(c_int), parameter :: gpp_mode_default = 0
  integer(c_int), parameter :: gpp_mode_beps = 1
  integer(c_int), parameter :: gpp_sw = 0
  integer(c_int), parameter :: gpp_tair = 1
  integer(c_int), parameter :: gpp_vpd = 2
  integer(c_int), parameter :: gpp_wind = 3
  integer(c_int), parameter :: gpp_cos_zenith = 4
  integer(c_int), parameter :: gpp_ca = 5
  integer(c_int), parameter :: gpp_lai = 6
  integer(c_int), parameter :: gpp_clumping = 7
  integer(c_int), parameter :: gpp_soil_water_stress = 8
  integer(c_int), parameter :: gpp_vcmax25 = 9
  integer(c_int), parameter :: gpp_g1 = 10
  integer(c_int), parameter :: gpp_diffuse_fraction = 11
  integer(c_int), parameter :: gpp_two_leaf_inputs = 12
  integer(c_int), parameter :: gpp_sunlit = 0
  integer(c_int), parameter :: gpp_shaded = 1
  integer(c_int), parameter :: gpp_classes = 2
  integer(c_int), parameter :: gpp_conductance = 3
  integer(c_int), parameter :: gpp_transpiration = 4
  integer(c_int), parameter :: gpp_leaf_temperature = 5
  integer(c_int), parameter :: gpp_apar = 6
  integer(c_int), parameter :: gpp_two_leaf_outputs = 7
  integer(c_int), parameter :: gpp_leaf_vcmax25 = 0
  integer(c_int), parameter :: gpp_leaf_ppfd = 1
  integer(c_int), parameter :: gpp_leaf_tair = 2
  integer(c_int), parameter :: gpp_leaf_humidity = 3
  integer(c_int), parameter :: gpp_leaf_boundary_conductance = 4
  integer(c_int), parameter :: gpp_leaf_ca = 5
  integer(c_int), parameter :: gpp_leaf_g1 = 6
  integer(c_int), parameter :: gpp_leaf_soil_water_stress = 7
  integer(c_int), parameter :: gpp_leaf_g0 = 8
  integer(c_int), parameter :: gpp_leaf_ci_guess = 9
  integer(c_int), parameter :: gpp_leaf_inputs = 10
  integer(c_int), parameter :: gpp_leaf_net = 0
  integer(c_int), parameter :: gpp_leaf_ci = 1
  integer(c_int), parameter :: gpp_leaf_conductance = 2
  integer(c_int), parameter :: gpp_leaf_respiration = 3
  integer(c_int), parameter :: gpp_leaf_outputs = 4
  integer(c_int), parameter :: gpp_downscale_conservative = 0
  integer(c_int), parameter :: gpp_downscale_covariate = 1
  integer(c_int), parameter :: gpp_downscale_bilinear = 2
  integer(c_int), parameter :: gpp_downscale_smooth = 3

  type, bind(c) :: gpp_pft_parameters
    integer(c_int64_t) :: size
    real(c_double) :: vcmax25, clumping, g1, g0, albedo
    real(c_double) :: height_overstory, height_understory, stem_area_overstory, stem_area_understory
    real(c_double) :: psi_min, psi_exponent
    integer(c_int32_t) :: understory, c4
  end type
  type, bind(c) :: gpp_two_leaf_options
    integer(c_int64_t) :: size
    integer(c_int32_t) :: mode
    integer(c_int32_t) :: leaf_temperature
    integer(c_int32_t) :: gross
    integer(c_int32_t) :: n_threads
  end type
  type, bind(c) :: gpp_leaf_options
    integer(c_int64_t) :: size
    integer(c_int32_t) :: c4
    integer(c_int32_t) :: mode
    integer(c_int32_t) :: biochemistry
    integer(c_int32_t) :: n_threads
  end type
end module

module gppcore_c
  use, intrinsic :: iso_c_binding
  implicit none
  public

  interface
    integer(c_int) function gpp_abi_version() bind(c)
      import
    end function
    type(c_ptr) function gpp_last_error() bind(c)
      import
    end function
    integer(c_int) function gpp_isa(name) bind(c)
      import
      type(c_ptr), intent(out) :: name
    end function
    integer(c_int) function gpp_forest_load(path, forest) bind(c)
      import
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), intent(out) :: forest
    end function
    integer(c_int) function gpp_forest_load_buffer(data, size, forest) bind(c)
      import
      type(c_ptr), value :: data
      integer(c_int64_t), value :: size
      type(c_ptr), intent(out) :: forest
    end function
    subroutine gpp_forest_free(forest) bind(c)
      import
      type(c_ptr), value :: forest
    end subroutine
    integer(c_int) function gpp_forest_info(forest, n_features, n_outputs, n_trees) bind(c)
      import
      type(c_ptr), value :: forest
      type(c_ptr), value :: n_features
      type(c_ptr), value :: n_outputs
      type(c_ptr), value :: n_trees
    end function
    integer(c_int) function gpp_forest_feature(forest, i, name) bind(c)
      import
      type(c_ptr), value :: forest
      integer(c_int64_t), value :: i
      type(c_ptr), intent(out) :: name
    end function
    integer(c_int) function gpp_workspace_new(forest, workspace) bind(c)
      import
      type(c_ptr), value :: forest
      type(c_ptr), intent(out) :: workspace
    end function
    subroutine gpp_workspace_free(workspace) bind(c)
      import
      type(c_ptr), value :: workspace
    end subroutine
    integer(c_int) function gpp_workspace_set_missing(workspace, missing) bind(c)
      import
      type(c_ptr), value :: workspace
      real(c_double), value :: missing
    end function
    integer(c_int) function gpp_forest_predict_f32(forest, workspace, rows, n_rows, n_features, raw, out) bind(c)
      import
      type(c_ptr), value :: forest
      type(c_ptr), value :: workspace
      type(c_ptr), value :: rows
      integer(c_int64_t), value :: n_rows
      integer(c_int64_t), value :: n_features
      integer(c_int), value :: raw
      type(c_ptr), value :: out
    end function
    integer(c_int) function gpp_forest_predict_f64(forest, workspace, rows, n_rows, n_features, raw, out) bind(c)
      import
      type(c_ptr), value :: forest
      type(c_ptr), value :: workspace
      type(c_ptr), value :: rows
      integer(c_int64_t), value :: n_rows
      integer(c_int64_t), value :: n_features
      integer(c_int), value :: raw
      type(c_ptr), value :: out
    end function
    integer(c_int) function gpp_forest_predict_columns_f32(forest, workspace, columns, strides, n_rows, raw, &
      out) bind(c)
      import
      type(c_ptr), value :: forest
      type(c_ptr), value :: workspace
      type(c_ptr), intent(in) :: columns(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n_rows
      integer(c_int), value :: raw
      type(c_ptr), value :: out
    end function
    integer(c_int) function gpp_forest_predict_columns_f64(forest, workspace, columns, strides, n_rows, raw, &
      out) bind(c)
      import
      type(c_ptr), value :: forest
      type(c_ptr), value :: workspace
      type(c_ptr), intent(in) :: columns(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n_rows
      integer(c_int), value :: raw
      type(c_ptr), value :: out
    end function
    integer(c_int) function gpp_forest_apply_f32(forest, workspace, rows, n_rows, n_features, leaves) bind(c)
      import
      type(c_ptr), value :: forest
      type(c_ptr), value :: workspace
      type(c_ptr), value :: rows
      integer(c_int64_t), value :: n_rows
      integer(c_int64_t), value :: n_features
      type(c_ptr), value :: leaves
    end function
    integer(c_int) function gpp_forest_apply_f64(forest, workspace, rows, n_rows, n_features, leaves) bind(c)
      import
      type(c_ptr), value :: forest
      type(c_ptr), value :: workspace
      type(c_ptr), value :: rows
      integer(c_int64_t), value :: n_rows
      integer(c_int64_t), value :: n_features
      type(c_ptr), value :: leaves
    end function
    integer(c_int) function gpp_model_load(path, model) bind(c)
      import
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), intent(out) :: model
    end function
    integer(c_int) function gpp_model_load_buffer(data, size, model) bind(c)
      import
      type(c_ptr), value :: data
      integer(c_int64_t), value :: size
      type(c_ptr), intent(out) :: model
    end function
    subroutine gpp_model_free(model) bind(c)
      import
      type(c_ptr), value :: model
    end subroutine
    integer(c_int) function gpp_model_info(model, n_predictors, n_sources, n_members, has_interval) bind(c)
      import
      type(c_ptr), value :: model
      type(c_ptr), value :: n_predictors
      type(c_ptr), value :: n_sources
      type(c_ptr), value :: n_members
      type(c_ptr), value :: has_interval
    end function
    integer(c_int) function gpp_model_predictor(model, i, name) bind(c)
      import
      type(c_ptr), value :: model
      integer(c_int64_t), value :: i
      type(c_ptr), intent(out) :: name
    end function
    integer(c_int) function gpp_model_predictor_unit(model, i, unit, low, high) bind(c)
      import
      type(c_ptr), value :: model
      integer(c_int64_t), value :: i
      type(c_ptr), intent(out) :: unit
      type(c_ptr), value :: low
      type(c_ptr), value :: high
    end function
    integer(c_int) function gpp_model_workspace_new(model, workspace) bind(c)
      import
      type(c_ptr), value :: model
      type(c_ptr), intent(out) :: workspace
    end function
    integer(c_int) function gpp_model_predict_columns_f32(model, workspace, columns, strides, n_rows, gpp, low, &
      high) bind(c)
      import
      type(c_ptr), value :: model
      type(c_ptr), value :: workspace
      type(c_ptr), intent(in) :: columns(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n_rows
      type(c_ptr), value :: gpp
      type(c_ptr), value :: low
      type(c_ptr), value :: high
    end function
    integer(c_int) function gpp_model_predict_columns_f64(model, workspace, columns, strides, n_rows, gpp, low, &
      high) bind(c)
      import
      type(c_ptr), value :: model
      type(c_ptr), value :: workspace
      type(c_ptr), intent(in) :: columns(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n_rows
      type(c_ptr), value :: gpp
      type(c_ptr), value :: low
      type(c_ptr), value :: high
    end function
    integer(c_int) function gpp_model_check_f32(model, workspace, columns, strides, n_rows, counts) bind(c)
      import
      type(c_ptr), value :: model
      type(c_ptr), value :: workspace
      type(c_ptr), intent(in) :: columns(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n_rows
      type(c_ptr), value :: counts
    end function
    integer(c_int) function gpp_model_check_f64(model, workspace, columns, strides, n_rows, counts) bind(c)
      import
      type(c_ptr), value :: model
      type(c_ptr), value :: workspace
      type(c_ptr), intent(in) :: columns(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n_rows
      type(c_ptr), value :: counts
    end function
    integer(c_int) function gpp_pft(name, pft) bind(c)
      import
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), value :: pft
    end function
    integer(c_int) function gpp_two_leaf_f32(pft, options, inputs, strides, n, outputs) bind(c)
      import
      type(c_ptr), value :: pft
      type(c_ptr), value :: options
      type(c_ptr), intent(in) :: inputs(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n
      type(c_ptr), intent(in) :: outputs(*)
    end function
    integer(c_int) function gpp_two_leaf_f64(pft, options, inputs, strides, n, outputs) bind(c)
      import
      type(c_ptr), value :: pft
      type(c_ptr), value :: options
      type(c_ptr), intent(in) :: inputs(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n
      type(c_ptr), intent(in) :: outputs(*)
    end function
    integer(c_int) function gpp_two_leaf_input(j, name, unit, low, high) bind(c)
      import
      integer(c_int64_t), value :: j
      type(c_ptr), intent(out) :: name
      type(c_ptr), intent(out) :: unit
      type(c_ptr), value :: low
      type(c_ptr), value :: high
    end function
    integer(c_int) function gpp_leaf_f32(options, inputs, strides, n, outputs) bind(c)
      import
      type(c_ptr), value :: options
      type(c_ptr), intent(in) :: inputs(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n
      type(c_ptr), intent(in) :: outputs(*)
    end function
    integer(c_int) function gpp_leaf_f64(options, inputs, strides, n, outputs) bind(c)
      import
      type(c_ptr), value :: options
      type(c_ptr), intent(in) :: inputs(*)
      type(c_ptr), value :: strides
      integer(c_int64_t), value :: n
      type(c_ptr), intent(in) :: outputs(*)
    end function
    integer(c_int) function gpp_regrid_plan_new(n_lat, n_lon, factor, fine_row_area, periodic_lon, n_threads, &
      plan) bind(c)
      import
      integer(c_int64_t), value :: n_lat
      integer(c_int64_t), value :: n_lon
      integer(c_int64_t), value :: factor
      type(c_ptr), value :: fine_row_area
      integer(c_int), value :: periodic_lon
      integer(c_int), value :: n_threads
      type(c_ptr), intent(out) :: plan
    end function
    subroutine gpp_regrid_plan_free(plan) bind(c)
      import
      type(c_ptr), value :: plan
    end subroutine
    integer(c_int) function gpp_row_area(lat_edges, n, area) bind(c)
      import
      type(c_ptr), value :: lat_edges
      integer(c_int64_t), value :: n
      type(c_ptr), value :: area
    end function
    integer(c_int) function gpp_aggregate_f32(plan, fine, min_valid, coarse, fraction) bind(c)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: fine
      real(c_double), value :: min_valid
      type(c_ptr), value :: coarse
      type(c_ptr), value :: fraction
    end function
    integer(c_int) function gpp_aggregate_f64(plan, fine, min_valid, coarse, fraction) bind(c)
      import
      type(c_ptr), value :: plan
      type(c_ptr), value :: fine
      real(c_double), value :: min_valid
      type(c_ptr), value :: coarse
      type(c_ptr), value :: fraction
    end function
    integer(c_int) function gpp_downscale_f32(plan, method, coarse, covariate, fine) bind(c)
      import
      type(c_ptr), value :: plan
      integer(c_int), value :: method
      type(c_ptr), value :: coarse
      type(c_ptr), value :: covariate
      type(c_ptr), value :: fine
    end function
    integer(c_int) function gpp_downscale_f64(plan, method, coarse, covariate, fine) bind(c)
      import
      type(c_ptr), value :: plan
      integer(c_int), value :: method
      type(c_ptr), value :: coarse
      type(c_ptr), value :: covariate
      type(c_ptr), value :: fine
    end function
  end interface
end module
