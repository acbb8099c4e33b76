!> The two-leaf model as a scheme of the Common Community Physics Package: GPP of the columns of one plant functional
!! type. Its arguments are told in gppcore_gpp.meta.
module gppcore_gpp
  use, intrinsic :: iso_c_binding, only: c_double
  use machine, only: kind_phys
  use gppcore, only: gpp_ok, gpp_pft, gpp_pft_parameters, gpp_require_abi, gpp_two_leaf
  implicit none
  private
  public :: gppcore_gpp_init, gppcore_gpp_run

  type(gpp_pft_parameters) :: pft
  real(c_double), parameter :: zero_celsius = 273.15_c_double

contains

  !> \section arg_table_gppcore_gpp_init Argument Table
  !! \htmlinclude gppcore_gpp_init.html
  subroutine gppcore_gpp_init(pft_name, errmsg, errflg)
    character(len=*), intent(in) :: pft_name
    character(len=*), intent(out) :: errmsg
    integer, intent(out) :: errflg
    errmsg = ""
    call gpp_require_abi()
    call gpp_pft(pft_name, pft, stat=errflg, errmsg=errmsg)
  end subroutine

  !> \section arg_table_gppcore_gpp_run Argument Table
  !! \htmlinclude gppcore_gpp_run.html
  subroutine gppcore_gpp_run(im, sw, t2m, vpd, coszen, co2, lai, gpp, errmsg, errflg)
    integer, intent(in) :: im
    real(kind_phys), intent(in) :: sw(:), t2m(:), vpd(:), coszen(:), co2(:), lai(:)
    real(kind_phys), intent(out) :: gpp(:)
    character(len=*), intent(out) :: errmsg
    integer, intent(out) :: errflg
    real(kind_phys) :: sunlit(im), shaded(im)
    errmsg = ""
    call gpp_two_leaf(pft, sw(:im), t2m(:im) - zero_celsius, vpd(:im), coszen(:im), 1e6_kind_phys*co2(:im), lai(:im), &
                      sunlit, shaded, stat=errflg, errmsg=errmsg)
    if (errflg == gpp_ok) gpp(:im) = sunlit + shaded
  end subroutine

end module
