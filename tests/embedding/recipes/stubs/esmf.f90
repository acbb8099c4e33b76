! The part of ESMF 8 and NUOPC that the cap uses, as its reference documents it: for a check of the syntax alone.
module ESMF
  implicit none
  integer, parameter :: ESMF_KIND_R8 = selected_real_kind(13), ESMF_SUCCESS = 0, ESMF_FAILURE = -1
  type :: ESMF_GridComp
  end type
  type :: ESMF_State
  end type
  type :: ESMF_Grid
  end type
  type :: ESMF_Field
  end type
  type :: ESMF_TypeKind_Flag
  end type
  type :: ESMF_StaggerLoc
  end type
  type(ESMF_TypeKind_Flag), parameter :: ESMF_TYPEKIND_R8 = ESMF_TypeKind_Flag()
  type(ESMF_StaggerLoc), parameter :: ESMF_STAGGERLOC_CENTER = ESMF_StaggerLoc()
  interface
    function ESMF_GridCreate1PeriDimUfrm(minIndex, maxIndex, minCornerCoord, maxCornerCoord, staggerLocList, rc) result(g)
      import
      integer, intent(in), optional :: minIndex(:)
      integer, intent(in) :: maxIndex(:)
      real(ESMF_KIND_R8), intent(in) :: minCornerCoord(:), maxCornerCoord(:)
      type(ESMF_StaggerLoc), intent(in), optional :: staggerLocList(:)
      integer, intent(out), optional :: rc
      type(ESMF_Grid) :: g
    end function
    function ESMF_FieldCreate(grid, typekind, name, rc) result(field)
      import
      type(ESMF_Grid), intent(in) :: grid
      type(ESMF_TypeKind_Flag), intent(in) :: typekind
      character(len=*), intent(in), optional :: name
      integer, intent(out), optional :: rc
      type(ESMF_Field) :: field
    end function
    subroutine ESMF_StateGet(state, itemName, field, rc)
      import
      type(ESMF_State), intent(in) :: state
      character(len=*), intent(in) :: itemName
      type(ESMF_Field), intent(out) :: field
      integer, intent(out), optional :: rc
    end subroutine
    subroutine ESMF_FieldGet(field, localDe, farrayPtr, rc)
      import
      type(ESMF_Field), intent(in) :: field
      integer, intent(in), optional :: localDe
      real(ESMF_KIND_R8), pointer :: farrayPtr(:, :)
      integer, intent(out), optional :: rc
    end subroutine
  end interface
end module

module NUOPC
  use ESMF
  implicit none
  interface
    subroutine NUOPC_CompDerive(comp, genericSetServicesRoutine, rc)
      import
      type(ESMF_GridComp), intent(in) :: comp
      interface
        subroutine genericSetServicesRoutine(gridcomp, rc)
          import
          type(ESMF_GridComp) :: gridcomp
          integer, intent(out) :: rc
        end subroutine
      end interface
      integer, intent(out), optional :: rc
    end subroutine
    subroutine NUOPC_CompSpecialize(comp, specLabel, specRoutine, rc)
      import
      type(ESMF_GridComp) :: comp
      character(len=*), intent(in) :: specLabel
      interface
        subroutine specRoutine(gridcomp, rc)
          import
          type(ESMF_GridComp) :: gridcomp
          integer, intent(out) :: rc
        end subroutine
      end interface
      integer, intent(out), optional :: rc
    end subroutine
    subroutine NUOPC_Advertise(state, StandardName, rc)
      import
      type(ESMF_State), intent(inout) :: state
      character(len=*), intent(in) :: StandardName
      integer, intent(out), optional :: rc
    end subroutine
    subroutine NUOPC_Realize(state, field, rc)
      import
      type(ESMF_State), intent(inout) :: state
      type(ESMF_Field), intent(in) :: field
      integer, intent(out), optional :: rc
    end subroutine
  end interface
end module

module NUOPC_Model
  use ESMF
  implicit none
  character(len=*), parameter :: label_Advertise = "Model_Advertise"
  character(len=*), parameter :: label_RealizeProvided = "Model_RealizeProvided"
  character(len=*), parameter :: label_Advance = "Model_Advance"
  interface
    subroutine SetServices(gridcomp, rc)
      import
      type(ESMF_GridComp) :: gridcomp
      integer, intent(out) :: rc
    end subroutine
    subroutine NUOPC_ModelGet(model, importState, exportState, rc)
      import
      type(ESMF_GridComp) :: model
      type(ESMF_State), intent(out), optional :: importState, exportState
      integer, intent(out), optional :: rc
    end subroutine
  end interface
end module
