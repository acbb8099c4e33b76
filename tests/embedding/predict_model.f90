! Predicts with a transfer model through the C interface from Fortran, and writes the bits of GPP, low and high.
! Arguments: model folder, file of float64 columns, number of rows, output file.
program predict_model
  use gppcore
  implicit none
  character(len=4096) :: folder, column_file, count, out_file
  character(len=:), allocatable :: names
  type(c_ptr) :: model, workspace, name
  type(c_ptr), allocatable :: columns(:)
  integer(c_int64_t) :: n_rows, n_predictors, n_sources, n_members, i
  integer(c_int64_t), allocatable :: strides(:)
  integer(c_int) :: has_interval
  real(c_double), allocatable, target :: values(:, :), gpp(:), low(:), high(:)
  integer :: unit

  call get_command_argument(1, folder)
  call get_command_argument(2, column_file)
  call get_command_argument(3, count)
  call get_command_argument(4, out_file)
  read (count, *) n_rows

  if (gpp_model_load("no such folder"//c_null_char, model) == gpp_ok) error stop "a missing folder was loaded"
  if (index(gpp_message(), "no such folder") == 0) error stop "the message does not name the folder"
  if (gpp_model_load(trim(folder)//c_null_char, model) /= gpp_ok) error stop "load"
  if (gpp_model_info(model, n_predictors, n_sources, n_members, has_interval) /= gpp_ok) error stop "info"
  if (gpp_model_workspace_new(model, workspace) /= gpp_ok) error stop "workspace"
  allocate (values(n_rows, n_predictors), gpp(n_rows), low(n_rows), high(n_rows))
  allocate (columns(n_predictors), strides(n_predictors))
  open (newunit=unit, file=trim(column_file), access="stream", form="unformatted", status="old")
  read (unit) values
  close (unit)
  names = ""
  do i = 1, n_predictors
    if (gpp_model_predictor(model, i - 1, name) /= gpp_ok) error stop "predictor"
    names = names//" "//gpp_string(name)
    columns(i) = c_loc(values(1, i))
    strides(i) = 1
  end do
  print "(3(i0, 1x), i0, a)", n_predictors, n_sources, n_members, has_interval, names
  if (gpp_model_predict_columns_f64(model, workspace, columns, strides, n_rows, gpp, c_loc(low), c_loc(high)) &
      /= gpp_ok) error stop "predict"
  open (newunit=unit, file=trim(out_file), access="stream", form="unformatted", status="replace")
  write (unit) gpp, low, high
  if (gpp_model_predict_columns_f64(model, workspace, columns, strides, n_rows, gpp, c_null_ptr, c_null_ptr) &
      /= gpp_ok) error stop "predict without interval"
  write (unit) gpp
  close (unit)
  call gpp_workspace_free(workspace)
  call gpp_model_free(model)
end program
