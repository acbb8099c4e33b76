! libgppcore for Fortran 2008: compile this file with your program, and link libgppcore. gppcore.h tells more of what
! each function does. Every procedure ends the program with a message if it fails, unless it is given stat=; errmsg=
! receives the message, as in ALLOCATE. Numbers are real(real32) or real(real64), all of one kind in a call.
include "gppcore_c.f90"

include "gppcore_types.f90"

module gppcore_r32
  use, intrinsic :: iso_c_binding
  use gppcore_c, only: c_rows => gpp_forest_predict_f32, c_columns => gpp_forest_predict_columns_f32, &
    c_apply => gpp_forest_apply_f32, c_model => gpp_model_predict_columns_f32, c_check => gpp_model_check_f32, &
    c_two_leaf => gpp_two_leaf_f32, c_leaf => gpp_leaf_f32, c_aggregate => gpp_aggregate_f32, &
    c_downscale => gpp_downscale_f32
  use gppcore_constants
  use gppcore_types
  implicit none
  integer, parameter, private :: wp = c_float
  include "gppcore_kinds.inc"
end module

module gppcore_r64
  use, intrinsic :: iso_c_binding
  use gppcore_c, only: c_rows => gpp_forest_predict_f64, c_columns => gpp_forest_predict_columns_f64, &
    c_apply => gpp_forest_apply_f64, c_model => gpp_model_predict_columns_f64, c_check => gpp_model_check_f64, &
    c_two_leaf => gpp_two_leaf_f64, c_leaf => gpp_leaf_f64, c_aggregate => gpp_aggregate_f64, &
    c_downscale => gpp_downscale_f64
  use gppcore_constants
  use gppcore_types
  implicit none
  integer, parameter, private :: wp = c_double
  include "gppcore_kinds.inc"
end module

! What programs use.
module gppcore
  use, intrinsic :: iso_c_binding
  use gppcore_constants
  use gppcore_types, only: gpp_forest, gpp_model, gpp_workspace, gpp_columns, gpp_regrid_plan, gpp_load, gpp_make, &
    gpp_free, gpp_set_missing, gpp_size, gpp_feature, gpp_predictor, gpp_pft, gpp_isa, gpp_message, gpp_require_abi, &
    gpp_finish, gpp_check_columns, assignment(=)
  use gppcore_r32, only: gpp_predict, gpp_apply, gpp_set, gpp_check, gpp_two_leaf, gpp_leaf, gpp_aggregate, &
    gpp_downscale
  use gppcore_r64, only: gpp_predict, gpp_apply, gpp_set, gpp_check, gpp_two_leaf, gpp_leaf, gpp_aggregate, &
    gpp_downscale
  use gppcore_c, only: gpp_abi_version, c_row_area => gpp_row_area
  implicit none
  public
  private :: c_row_area, row_area, gpp_check_columns

  interface gpp_row_area
    module procedure row_area
  end interface
  interface gpp_check
    procedure gpp_check_columns
  end interface

contains

  ! Areas of cells in the rows between latitudes in degrees, for gpp_make of a regridding plan.
  subroutine row_area(lat_edges, area, stat, errmsg)
    real(c_double), intent(in), contiguous, target :: lat_edges(:)
    real(c_double), allocatable, intent(out), target :: area(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    allocate (area(max(size(lat_edges) - 1, 0)))
    call gpp_finish(c_row_area(c_loc(lat_edges), size(area, kind=c_int64_t), c_loc(area)), stat, errmsg)
  end subroutine
end module
