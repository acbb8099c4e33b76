! The C interface of libgppcore for Fortran 2008: compile this file with your program, and link libgppcore.
! gppcore.h tells what each function does; gpp_message tells what went wrong.
module gppcore
  use, intrinsic :: iso_c_binding
  implicit none
  public

  integer(c_int), parameter :: gpp_ok = 0

  interface
    integer(c_int) function gpp_abi_version() bind(c)
      import :: c_int
    end function
    type(c_ptr) function gpp_last_error() bind(c)
      import :: c_ptr
    end function
    integer(c_int) function gpp_forest_load(path, forest) bind(c)
      import :: c_int, c_char, c_ptr
      character(kind=c_char), intent(in) :: path(*) ! ends with c_null_char
      type(c_ptr), intent(out) :: forest
    end function
    subroutine gpp_forest_free(forest) bind(c)
      import :: c_ptr
      type(c_ptr), value :: forest
    end subroutine
    integer(c_int) function gpp_forest_info(forest, n_features, n_outputs, n_trees) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: forest
      integer(c_int64_t), intent(out) :: n_features, n_outputs, n_trees
    end function
    integer(c_int) function gpp_workspace_new(forest, workspace) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: forest
      type(c_ptr), intent(out) :: workspace
    end function
    subroutine gpp_workspace_free(workspace) bind(c)
      import :: c_ptr
      type(c_ptr), value :: workspace
    end subroutine
    integer(c_int) function gpp_forest_predict_f32(forest, workspace, rows, n_rows, n_features, raw, out) bind(c)
      import :: c_int, c_int64_t, c_float, c_ptr
      type(c_ptr), value :: forest, workspace
      integer(c_int64_t), value :: n_rows, n_features
      integer(c_int), value :: raw
      real(c_float), intent(in) :: rows(n_features, n_rows)
      real(c_float), intent(out) :: out(*) ! (n_outputs, n_rows)
    end function
    integer(c_int) function gpp_forest_predict_f64(forest, workspace, rows, n_rows, n_features, raw, out) bind(c)
      import :: c_int, c_int64_t, c_double, c_ptr
      type(c_ptr), value :: forest, workspace
      integer(c_int64_t), value :: n_rows, n_features
      integer(c_int), value :: raw
      real(c_double), intent(in) :: rows(n_features, n_rows)
      real(c_double), intent(out) :: out(*) ! (n_outputs, n_rows)
    end function
    integer(c_int) function gpp_forest_apply_f64(forest, workspace, rows, n_rows, n_features, leaves) bind(c)
      import :: c_int, c_int32_t, c_int64_t, c_double, c_ptr
      type(c_ptr), value :: forest, workspace
      integer(c_int64_t), value :: n_rows, n_features
      real(c_double), intent(in) :: rows(n_features, n_rows)
      integer(c_int32_t), intent(out) :: leaves(*) ! (n_trees, n_rows)
    end function
    integer(c_int) function gpp_model_load(folder, model) bind(c)
      import :: c_int, c_char, c_ptr
      character(kind=c_char), intent(in) :: folder(*) ! ends with c_null_char
      type(c_ptr), intent(out) :: model
    end function
    subroutine gpp_model_free(model) bind(c)
      import :: c_ptr
      type(c_ptr), value :: model
    end subroutine
    integer(c_int) function gpp_model_info(model, n_predictors, n_sources, n_members, has_interval) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: model
      integer(c_int64_t), intent(out) :: n_predictors, n_sources, n_members
      integer(c_int), intent(out) :: has_interval
    end function
    integer(c_int) function gpp_model_predictor(model, i, name) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: model
      integer(c_int64_t), value :: i ! from 0
      type(c_ptr), intent(out) :: name ! gpp_string makes text of it
    end function
    integer(c_int) function gpp_model_workspace_new(model, workspace) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: model
      type(c_ptr), intent(out) :: workspace
    end function
    integer(c_int) function gpp_model_predict_columns_f32(model, workspace, columns, strides, n_rows, gpp, low, high) &
      bind(c)
      import :: c_int, c_int64_t, c_float, c_ptr
      type(c_ptr), value :: model, workspace
      type(c_ptr), intent(in) :: columns(*) ! c_loc of each predictor
      integer(c_int64_t), intent(in) :: strides(*)
      integer(c_int64_t), value :: n_rows
      real(c_float), intent(out) :: gpp(*)
      type(c_ptr), value :: low, high ! c_loc, or c_null_ptr
    end function
    integer(c_int) function gpp_model_predict_columns_f64(model, workspace, columns, strides, n_rows, gpp, low, high) &
      bind(c)
      import :: c_int, c_int64_t, c_double, c_ptr
      type(c_ptr), value :: model, workspace
      type(c_ptr), intent(in) :: columns(*) ! c_loc of each predictor
      integer(c_int64_t), intent(in) :: strides(*)
      integer(c_int64_t), value :: n_rows
      real(c_double), intent(out) :: gpp(*)
      type(c_ptr), value :: low, high ! c_loc, or c_null_ptr
    end function
  end interface

contains

  ! What went wrong in this thread's last call that did not return gpp_ok.
  function gpp_message() result(text)
    character(len=:), allocatable :: text
    text = gpp_string(gpp_last_error())
  end function

  ! The text of a string of C.
  function gpp_string(from) result(text)
    type(c_ptr), intent(in) :: from
    character(len=:), allocatable :: text
    character(kind=c_char), pointer :: bytes(:)
    integer :: i
    call c_f_pointer(from, bytes, [4096])
    text = ""
    do i = 1, size(bytes)
      if (bytes(i) == c_null_char) exit
      text = text//bytes(i)
    end do
  end function
end module
