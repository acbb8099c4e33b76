program host
  use gppcore
  implicit none
  type(gpp_pft_parameters) :: pft
  call gpp_require_abi()
  call gpp_pft("grass_c4", pft)
  print "(i0)", nint(pft%vcmax25)
end program
