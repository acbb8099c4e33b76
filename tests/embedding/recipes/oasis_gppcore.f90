! A transfer model as a component of OASIS3-MCT: in each step it gets a field "G_" and a number for each predictor, and
! puts the field "G_GPP". The columns stay in the model's order, whole on each process.
program oasis_gppcore
  use mod_oasis
  use gppcore
  implicit none
  integer, parameter :: n_columns = 1000, n_steps = 3, seconds = 3600
  type(gpp_model) :: model
  type(gpp_workspace) :: work
  character(len=8) :: field
  integer, allocatable :: id(:)
  integer :: component, partition, id_gpp, info, i, step, n_predictors, segment(3)
  real(c_double), allocatable :: predictors(:, :)
  real(c_double) :: gpp(n_columns)

  call oasis_init_comp(component, "gpcore", info)
  call gpp_require_abi()
  call gpp_load(model, "model.zip")
  call gpp_make(work, model)
  call gpp_size(model, n_predictors)
  allocate (id(n_predictors), predictors(n_columns, n_predictors))

  segment = [0, 0, n_columns]
  call oasis_def_partition(partition, segment, info)
  do i = 1, n_predictors
    write (field, "(a, i0)") "G_", i
    call oasis_def_var(id(i), field, partition, [1, 1], oasis_in, [1, n_columns], oasis_real, info)
  end do
  call oasis_def_var(id_gpp, "G_GPP", partition, [1, 1], oasis_out, [1, n_columns], oasis_real, info)
  call oasis_enddef(info)

  do step = 0, n_steps - 1
    do i = 1, n_predictors
      call oasis_get(id(i), step*seconds, predictors(:, i), info)
    end do
    call gpp_predict(model, work, predictors, gpp)
    call oasis_put(id_gpp, step*seconds, gpp, info)
  end do
  call oasis_terminate(info)
end program
