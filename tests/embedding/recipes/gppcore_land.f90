! The two-leaf model as photosynthesis of CTSM or ELM: patches of a clump, listed by a filter, in one call for each plant
! functional type. gppcore reads each argument where it lies; the patches of a type are gathered first.
module gppcore_land
  use shr_kind_mod, only: r8 => shr_kind_r8
  use decompMod, only: bounds_type
  use gppcore, only: gpp_pft, gpp_pft_parameters, gpp_require_abi, gpp_two_leaf
  implicit none
  private
  public :: gpp_init, gpp_of_patches

  type(gpp_pft_parameters), allocatable :: types(:)

contains

  ! names(i) is the type in gppcore of the host's plant functional type i.
  subroutine gpp_init(names)
    character(len=*), intent(in) :: names(:)
    integer :: i
    call gpp_require_abi()
    allocate (types(size(names)))
    do i = 1, size(names)
      call gpp_pft(names(i), types(i))
    end do
  end subroutine

  ! Called for each clump, inside the OpenMP loop of the host.
  subroutine gpp_of_patches(bounds, n, filter, itype, sw, t_veg, vpd, coszen, co2, laisun_plus_laisha, btran, gpp)
    type(bounds_type), intent(in) :: bounds
    integer, intent(in) :: n, filter(:), itype(bounds%begp:)
    real(r8), intent(in) :: sw(bounds%begp:), t_veg(bounds%begp:), vpd(bounds%begp:), coszen(bounds%begp:), co2(bounds%begp:)
    real(r8), intent(in) :: laisun_plus_laisha(bounds%begp:), btran(bounds%begp:) ! btran: soil water stress, 0 to 1
    real(r8), intent(inout) :: gpp(bounds%begp:) ! umol m-2 s-1
    integer :: i
    integer, allocatable :: p(:)
    real(r8), allocatable :: sunlit(:), shaded(:)
    do i = 1, size(types)
      p = pack(filter(:n), itype(filter(:n)) == i)
      if (size(p) == 0) cycle
      sunlit = sw(p)
      shaded = sunlit
      call gpp_two_leaf(types(i), sw(p), t_veg(p) - 273.15_r8, vpd(p), coszen(p), co2(p), laisun_plus_laisha(p), &
                        sunlit, shaded, soil_water_stress=btran(p))
      gpp(p) = sunlit + shaded
    end do
  end subroutine

end module
