! Predicts with a forest from Fortran, and writes the bits of predictions and leaves.
! Arguments: forest file, file of float64 rows, number of rows, output file.
program predict
  use gppcore
  implicit none
  character(len=4096) :: forest_file, row_file, count, out_file, message
  type(gpp_forest) :: forest
  type(gpp_workspace) :: work
  real(c_double), allocatable :: rows(:, :), out(:, :), x(:, :)
  integer(c_int32_t), allocatable :: leaves(:, :)
  integer(c_int8_t), allocatable :: bytes(:)
  integer :: n, n_features, n_outputs, n_trees, status, unit, size_of_file

  call get_command_argument(1, forest_file)
  call get_command_argument(2, row_file)
  call get_command_argument(3, count)
  call get_command_argument(4, out_file)
  read (count, *) n

  call gpp_require_abi()
  call gpp_load(forest, "no such file", stat=status, errmsg=message)
  if (status /= gpp_error_missing_file) error stop "a missing file was loaded"
  if (index(message, "no such file") == 0) error stop "the message does not name the file"
  inquire (file=trim(forest_file), size=size_of_file)
  allocate (bytes(size_of_file))
  open (newunit=unit, file=trim(forest_file), access="stream", form="unformatted", status="old")
  read (unit) bytes
  close (unit)
  call gpp_load(forest, bytes)
  call gpp_load(forest, forest_file) ! blanks at the end of a path do not count
  call gpp_size(forest, n_features, n_outputs, n_trees)
  call gpp_make(work, forest)
  allocate (rows(n_features, n), out(n_outputs, n), leaves(n_trees, n))
  open (newunit=unit, file=trim(row_file), access="stream", form="unformatted", status="old")
  read (unit) rows
  close (unit)
  allocate (x, source=transpose(rows))
  call gpp_predict(forest, work, x, out)
  call gpp_apply(forest, work, x, leaves)
  call gpp_predict(forest, work, x(:, 2:), out, stat=status)
  if (status /= gpp_error_shape) error stop "a column too few was taken"
  open (newunit=unit, file=trim(out_file), access="stream", form="unformatted", status="replace")
  write (unit) out, leaves
  close (unit)
end program
