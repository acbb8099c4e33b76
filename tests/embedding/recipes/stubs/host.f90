! What recipes take from their hosts, as far as the compiler must know it: no host is in it.
module machine ! of CCPP
  use, intrinsic :: iso_fortran_env, only: kind_phys => real64
end module

module shr_kind_mod ! of CTSM and ELM
  use, intrinsic :: iso_fortran_env, only: shr_kind_r8 => real64
end module

module decompMod ! of CTSM and ELM
  type :: bounds_type
    integer :: begp, endp
  end type
end module
