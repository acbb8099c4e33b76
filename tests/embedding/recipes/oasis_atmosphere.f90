! What stands for an atmosphere: puts rows from a file, and writes the GPP that comes back.
program oasis_atmosphere
  use mod_oasis
  use, intrinsic :: iso_c_binding, only: c_double
  implicit none
  integer, parameter :: n_columns = 1000, n_steps = 3, seconds = 3600, n_predictors = 6
  character(len=8) :: field
  integer :: component, partition, id(n_predictors), id_gpp, info, i, step, from, to, segment(3)
  real(c_double) :: predictors(n_columns), gpp(n_columns)

  call oasis_init_comp(component, "toyatm", info)
  segment = [0, 0, n_columns]
  call oasis_def_partition(partition, segment, info)
  do i = 1, n_predictors
    write (field, "(a, i0)") "A_", i
    call oasis_def_var(id(i), field, partition, [1, 1], oasis_out, [1, n_columns], oasis_real, info)
  end do
  call oasis_def_var(id_gpp, "A_GPP", partition, [1, 1], oasis_in, [1, n_columns], oasis_real, info)
  call oasis_enddef(info)

  open (newunit=from, file="columns", access="stream", form="unformatted", status="old")
  open (newunit=to, file="gpp", access="stream", form="unformatted", status="replace")
  do step = 0, n_steps - 1
    do i = 1, n_predictors
      read (from) predictors
      call oasis_put(id(i), step*seconds, predictors, info)
    end do
    call oasis_get(id_gpp, step*seconds, gpp, info)
    write (to) gpp
  end do
  call oasis_terminate(info)
end program
