! A transfer model as a component of NUOPC: imports a field for each predictor, by its name, and exports "gpp". A driver
! adds it with gppcore_cap::SetServices and connects the fields by name.
module gppcore_cap
  use ESMF
  use NUOPC
  use NUOPC_Model, modelSS => SetServices
  use gppcore, only: gpp_load, gpp_make, gpp_model, gpp_ok, gpp_predict, gpp_predictor, gpp_size, gpp_workspace
  implicit none
  private
  public :: SetServices

  integer, parameter :: longest = 48
  type(gpp_model) :: weights
  type(gpp_workspace) :: work
  character(len=longest), allocatable :: names(:)

contains

  subroutine SetServices(model, rc)
    type(ESMF_GridComp) :: model
    integer, intent(out) :: rc
    call NUOPC_CompDerive(model, modelSS, rc=rc)
    if (rc == ESMF_SUCCESS) call NUOPC_CompSpecialize(model, specLabel=label_Advertise, specRoutine=advertise, rc=rc)
    if (rc == ESMF_SUCCESS) &
      call NUOPC_CompSpecialize(model, specLabel=label_RealizeProvided, specRoutine=realize, rc=rc)
    if (rc == ESMF_SUCCESS) call NUOPC_CompSpecialize(model, specLabel=label_Advance, specRoutine=advance, rc=rc)
  end subroutine

  subroutine advertise(model, rc)
    type(ESMF_GridComp) :: model
    integer, intent(out) :: rc
    type(ESMF_State) :: imports, exports
    character(len=:), allocatable :: name
    integer :: i, n
    rc = ESMF_FAILURE
    call gpp_load(weights, "model.zip", stat=i)
    if (i /= gpp_ok) return
    call gpp_make(work, weights)
    call gpp_size(weights, n)
    allocate (names(n))
    call NUOPC_ModelGet(model, importState=imports, exportState=exports, rc=rc)
    do i = 1, n
      call gpp_predictor(weights, i, name)
      names(i) = name
      if (rc == ESMF_SUCCESS) call NUOPC_Advertise(imports, StandardName=name, rc=rc)
    end do
    if (rc == ESMF_SUCCESS) call NUOPC_Advertise(exports, StandardName="gpp", rc=rc)
  end subroutine

  subroutine realize(model, rc)
    type(ESMF_GridComp) :: model
    integer, intent(out) :: rc
    type(ESMF_State) :: imports, exports
    type(ESMF_Grid) :: grid
    integer :: i
    call NUOPC_ModelGet(model, importState=imports, exportState=exports, rc=rc)
    if (rc /= ESMF_SUCCESS) return
    grid = ESMF_GridCreate1PeriDimUfrm(maxIndex=[720, 360], minCornerCoord=[-180d0, -90d0], maxCornerCoord=[180d0, 90d0], &
                                       staggerLocList=[ESMF_STAGGERLOC_CENTER], rc=rc)
    do i = 1, size(names)
      if (rc == ESMF_SUCCESS) call add(imports, names(i))
    end do
    if (rc == ESMF_SUCCESS) call add(exports, "gpp")
  contains
    subroutine add(state, name)
      type(ESMF_State), intent(inout) :: state
      character(len=*), intent(in) :: name
      type(ESMF_Field) :: field
      field = ESMF_FieldCreate(name=trim(name), grid=grid, typekind=ESMF_TYPEKIND_R8, rc=rc)
      if (rc == ESMF_SUCCESS) call NUOPC_Realize(state, field=field, rc=rc)
    end subroutine
  end subroutine

  ! The cells of this process, in one call. Each predictor is copied to a column: gpp_set would note where they lie.
  subroutine advance(model, rc)
    type(ESMF_GridComp) :: model
    integer, intent(out) :: rc
    type(ESMF_State) :: imports, exports
    real(ESMF_KIND_R8), pointer :: cells(:, :)
    real(ESMF_KIND_R8), allocatable :: x(:, :), gpp(:)
    integer :: i, status
    call NUOPC_ModelGet(model, importState=imports, exportState=exports, rc=rc)
    do i = 1, size(names)
      if (rc == ESMF_SUCCESS) call find(imports, names(i))
      if (rc /= ESMF_SUCCESS) return
      if (.not. allocated(x)) allocate (x(size(cells), size(names)), gpp(size(cells)))
      x(:, i) = reshape(cells, [size(cells)])
    end do
    call gpp_predict(weights, work, x, gpp, stat=status)
    if (status /= gpp_ok) rc = ESMF_FAILURE
    if (rc == ESMF_SUCCESS) call find(exports, "gpp")
    if (rc == ESMF_SUCCESS) cells = reshape(gpp, shape(cells))
  contains
    subroutine find(state, name)
      type(ESMF_State), intent(in) :: state
      character(len=*), intent(in) :: name
      type(ESMF_Field) :: field
      call ESMF_StateGet(state, trim(name), field, rc=rc)
      if (rc == ESMF_SUCCESS) call ESMF_FieldGet(field, farrayPtr=cells, rc=rc)
    end subroutine
  end subroutine

end module
