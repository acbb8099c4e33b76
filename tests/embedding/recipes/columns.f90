! Calls the scheme of CCPP and the patches of CTSM as their hosts would, and writes what they return.
program columns
  use gppcore_gpp
  use gppcore_land
  use decompMod, only: bounds_type
  implicit none
  integer, parameter :: n = 400
  double precision, dimension(n) :: sw, tair, vpd, coszen, co2, lai, btran, scheme, patches
  character(len=200) :: errmsg
  type(bounds_type) :: bounds
  integer :: errflg, unit, i, itype(n)
  open (newunit=unit, file="fields", access="stream", form="unformatted", status="old")
  read (unit) sw, tair, vpd, coszen, co2, lai, btran
  close (unit)
  call gppcore_gpp_init("no such type", errmsg, errflg)
  if (errflg == 0 .or. index(errmsg, "no such type") == 0) error stop "an unknown type was taken"
  call gppcore_gpp_init("dbf", errmsg, errflg)
  call gppcore_gpp_run(n, sw, tair, vpd, coszen, 1d-6*co2, lai, scheme, errmsg, errflg)
  if (errflg /= 0) error stop trim(errmsg)
  call gpp_init(["enf     ", "grass_c4"])
  bounds = bounds_type(1, n)
  itype = [(modulo(i, 3), i=1, n)] ! 0: bare
  patches = 0
  call gpp_of_patches(bounds, n, [(i, i=1, n)], itype, sw, tair, vpd, coszen, co2, lai, btran, patches)
  open (newunit=unit, file="gpp", access="stream", form="unformatted", status="replace")
  write (unit) scheme, patches
end program
