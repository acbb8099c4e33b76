! Predicts with a transfer model from Fortran, and writes the bits of GPP, low and high, from columns in every layout.
! Arguments: model folder, file of float64 columns, number of rows, output file.
program predict_model
  use gppcore
  implicit none
  character(len=4096) :: folder, column_file, count, out_file, message
  character(len=:), allocatable :: names, name, unit_of
  type(gpp_model) :: model
  type(gpp_workspace) :: work
  type(gpp_columns) :: columns
  integer(c_int64_t), allocatable :: counts(:, :)
  real(c_double), allocatable :: values(:, :), gpp(:), low(:), high(:), again(:)
  real(c_double), allocatable, target :: wide(:, :)
  real(c_float), allocatable :: single(:)
  real(c_double) :: least, most
  logical :: has_interval
  integer :: n, n_predictors, n_sources, n_members, i, unit, status

  call get_command_argument(1, folder)
  call get_command_argument(2, column_file)
  call get_command_argument(3, count)
  call get_command_argument(4, out_file)
  read (count, *) n

  call gpp_load(model, "no such folder", stat=status, errmsg=message)
  if (status == gpp_ok) error stop "a missing folder was loaded"
  if (index(message, "no such folder") == 0) error stop "the message does not name the folder"
  call gpp_load(model, folder)
  call gpp_size(model, n_predictors, n_sources, n_members, has_interval)
  call gpp_make(work, model)
  allocate (values(n, n_predictors), gpp(n), low(n), high(n), again(n), single(n))
  open (newunit=unit, file=trim(column_file), access="stream", form="unformatted", status="old")
  read (unit) values
  close (unit)
  names = ""
  do i = 1, n_predictors
    call gpp_predictor(model, i, name, unit_of, least, most)
    names = names//" "//name
  end do
  print "(3(i0, 1x), i0, a)", n_predictors, n_sources, n_members, merge(1, 0, has_interval), names
  call gpp_predictor(model, n_predictors + 1, name, stat=status)
  if (status /= gpp_error_range) error stop "a predictor too many"

  call gpp_predict(model, work, values, gpp, low, high)
  open (newunit=unit, file=trim(out_file), access="stream", form="unformatted", status="replace")
  write (unit) gpp, low, high

  ! Every other row of an array of another order, backwards: strides come from the descriptor.
  allocate (wide(2*n_predictors, 2*n))
  wide = -1
  do i = 1, n_predictors
    wide(2*i, 2*n:2:-2) = values(:, i)
    call gpp_set(columns, i, wide(2*i, 2*n:2:-2))
  end do
  call gpp_predict(model, work, columns, again)
  if (any(transfer(again, [0_c_int64_t]) /= transfer(gpp, [0_c_int64_t]))) error stop "strides change the bits"
  write (unit) again
  close (unit)

  single = 0
  call gpp_predict(model, work, real(values, c_float), single)
  if (maxval(abs(single - gpp), mask=gpp < huge(1.0)) > 1e-2) error stop "real32 differs"
  call gpp_predict(model, work, values(:, 2:), gpp, stat=status)
  if (status /= gpp_error_shape) error stop "a column too few was taken"
  allocate (counts(gpp_checks, n_predictors))
  values(3, 1) = 1d20
  call gpp_check(model, values, counts, stat=status, errmsg=message)
  if (status /= gpp_error_range .or. counts(gpp_check_fill + 1, 1) /= 1) error stop "a fill value was not found"
  call gpp_set_missing(work, 1d20)
  call gpp_check(model, values, counts, work, stat=status, errmsg=message)
  if (counts(gpp_check_fill + 1, 1) /= 0) error stop "a missing value was taken for a fill value"
end program
