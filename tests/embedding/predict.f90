! Predicts rows through the C interface from Fortran, and writes the bits.
! Arguments: forest file, file of float64 rows, number of rows, output file.
program predict
  use gppcore
  implicit none
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
