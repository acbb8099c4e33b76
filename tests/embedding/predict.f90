! Predicts rows through the C interface from Fortran, and writes the bits.
! Arguments: forest file, file of float64 rows, number of rows, output file.
program predict
  use, intrinsic :: iso_c_binding
  implicit none

  interface
    integer(c_int) function gpp_forest_load(path, forest) bind(c)
      import :: c_int, c_char, c_ptr
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), intent(out) :: forest
    end function
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
    integer(c_int) function gpp_forest_predict_f64(forest, workspace, rows, n_rows, n_features, raw, out) bind(c)
      import :: c_int, c_int64_t, c_double, c_ptr
      type(c_ptr), value :: forest, workspace
      integer(c_int64_t), value :: n_rows, n_features
      integer(c_int), value :: raw
      real(c_double), intent(in) :: rows(n_features, n_rows)
      real(c_double), intent(out) :: out(*)
    end function
    integer(c_int) function gpp_forest_apply_f64(forest, workspace, rows, n_rows, n_features, leaves) bind(c)
      import :: c_int, c_int32_t, c_int64_t, c_double, c_ptr
      type(c_ptr), value :: forest, workspace
      integer(c_int64_t), value :: n_rows, n_features
      real(c_double), intent(in) :: rows(n_features, n_rows)
      integer(c_int32_t), intent(out) :: leaves(*)
    end function
    subroutine gpp_workspace_free(workspace) bind(c)
      import :: c_ptr
      type(c_ptr), value :: workspace
    end subroutine
    subroutine gpp_forest_free(forest) bind(c)
      import :: c_ptr
      type(c_ptr), value :: forest
    end subroutine
  end interface

  character(len=4096) :: forest_file, row_file, count, out_file
  type(c_ptr) :: forest, workspace
  integer(c_int64_t) :: n_rows, n_features, n_outputs, n_trees
  real(c_double), allocatable :: rows(:, :), out(:, :)
  integer(c_int32_t), allocatable :: leaves(:, :)
  integer :: unit

  call get_command_argument(1, forest_file)
  call get_command_argument(2, row_file)
  call get_command_argument(3, count)
  call get_command_argument(4, out_file)
  read (count, *) n_rows

  if (gpp_forest_load(trim(forest_file)//c_null_char, forest) /= 0) error stop "load"
  if (gpp_forest_info(forest, n_features, n_outputs, n_trees) /= 0) error stop "info"
  if (gpp_workspace_new(forest, workspace) /= 0) error stop "workspace"
  allocate (rows(n_features, n_rows), out(n_outputs, n_rows), leaves(n_trees, n_rows))
  open (newunit=unit, file=trim(row_file), access="stream", form="unformatted", status="old")
  read (unit) rows
  close (unit)
  if (gpp_forest_predict_f64(forest, workspace, rows, n_rows, n_features, 0_c_int, out) /= 0) error stop "predict"
  if (gpp_forest_apply_f64(forest, workspace, rows, n_rows, n_features, leaves) /= 0) error stop "apply"
  call gpp_workspace_free(workspace)
  call gpp_forest_free(forest)
  open (newunit=unit, file=trim(out_file), access="stream", form="unformatted", status="replace")
  write (unit) out, leaves
  close (unit)
end program
