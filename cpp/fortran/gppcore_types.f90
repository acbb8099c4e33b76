! Handles, messages and what does not depend on the kind of numbers.
module gppcore_types
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: error_unit
  use gppcore_constants
  use gppcore_c, c_isa => gpp_isa, c_pft => gpp_pft
  implicit none
  private
  public :: gpp_forest, gpp_model, gpp_workspace, gpp_columns, gpp_regrid_plan
  public :: gpp_load, gpp_make, gpp_free, gpp_set_missing, gpp_size, gpp_feature, gpp_predictor, gpp_pft, gpp_isa
  public :: gpp_message, gpp_require_abi, gpp_finish, gpp_stride, gpp_put, gpp_refuse, gpp_fits
  public :: gpp_check_columns
  public :: assignment(=)

  ! Handles free what they hold when they go out of scope. They are not copied: that is an error, at run time.
  type :: gpp_forest
    type(c_ptr) :: handle = c_null_ptr
  contains
    final :: free_forest
  end type
  type :: gpp_model
    type(c_ptr) :: handle = c_null_ptr
  contains
    final :: free_model
  end type
  type :: gpp_workspace
    type(c_ptr) :: handle = c_null_ptr
  contains
    final :: free_workspace
  end type
  type :: gpp_regrid_plan
    type(c_ptr) :: handle = c_null_ptr
    integer :: n_lat = 0, n_lon = 0, factor = 0
  contains
    final :: free_plan
  end type

  ! Where the columns of a prediction lie: gpp_set notes the address of an array, which must have TARGET.
  type :: gpp_columns
    type(c_ptr), allocatable :: at(:)
    integer(c_int64_t), allocatable :: stride(:)
    integer(c_int64_t) :: n = 0
    integer :: bytes = 0
  end type

  interface gpp_load
    module procedure load_forest, load_forest_bytes, load_model, load_model_bytes
  end interface
  interface gpp_make
    module procedure workspace_of_forest, workspace_of_model, plan_of_grid
  end interface
  interface gpp_free
    module procedure free_forest, free_model, free_workspace, free_plan
  end interface
  interface gpp_size
    module procedure size_of_forest, size_of_model
  end interface
  interface gpp_predictor
    module procedure predictor_of_model
  end interface
  interface gpp_pft
    module procedure pft_by_name
  end interface
  interface gpp_isa
    module procedure isa_in_use
  end interface
  interface assignment(=)
    module procedure copy_forest, copy_model, copy_workspace, copy_plan
  end interface

contains

  ! Loads a .gppf file.
  subroutine load_forest(forest, path, stat, errmsg)
    type(gpp_forest), intent(inout) :: forest
    character(len=*), intent(in) :: path
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call free_forest(forest)
    call gpp_finish(gpp_forest_load(trim(path)//c_null_char, forest%handle), stat, errmsg)
  end subroutine

  ! The same from the bytes of the file.
  subroutine load_forest_bytes(forest, bytes, stat, errmsg)
    type(gpp_forest), intent(inout) :: forest
    integer(c_int8_t), intent(in), contiguous, target :: bytes(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call free_forest(forest)
    call gpp_finish(gpp_forest_load_buffer(c_loc(bytes), size(bytes, kind=c_int64_t), forest%handle), stat, errmsg)
  end subroutine

  ! Loads the folder or the zip of a transfer model.
  subroutine load_model(model, path, stat, errmsg)
    type(gpp_model), intent(inout) :: model
    character(len=*), intent(in) :: path
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call free_model(model)
    call gpp_finish(gpp_model_load(trim(path)//c_null_char, model%handle), stat, errmsg)
  end subroutine

  ! The same from the bytes of the zip.
  subroutine load_model_bytes(model, bytes, stat, errmsg)
    type(gpp_model), intent(inout) :: model
    integer(c_int8_t), intent(in), contiguous, target :: bytes(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call free_model(model)
    call gpp_finish(gpp_model_load_buffer(c_loc(bytes), size(bytes, kind=c_int64_t), model%handle), stat, errmsg)
  end subroutine

  ! Makes scratch memory for predictions with a forest: one per thread.
  subroutine workspace_of_forest(work, forest, stat, errmsg)
    type(gpp_workspace), intent(inout) :: work
    type(gpp_forest), intent(in) :: forest
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call free_workspace(work)
    call gpp_finish(gpp_workspace_new(forest%handle, work%handle), stat, errmsg)
  end subroutine

  subroutine workspace_of_model(work, model, stat, errmsg)
    type(gpp_workspace), intent(inout) :: work
    type(gpp_model), intent(in) :: model
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call free_workspace(work)
    call gpp_finish(gpp_model_workspace_new(model%handle, work%handle), stat, errmsg)
  end subroutine

  ! Plans regridding between coarse(n_lon, n_lat) and fine(n_lon * factor, n_lat * factor), whose rows have the cell
  ! areas fine_row_area(n_lat * factor). n_threads 0 means all cores.
  subroutine plan_of_grid(plan, n_lat, n_lon, factor, fine_row_area, periodic_lon, n_threads, stat, errmsg)
    type(gpp_regrid_plan), intent(inout) :: plan
    integer, intent(in) :: n_lat, n_lon, factor
    real(c_double), intent(in), contiguous, target :: fine_row_area(:)
    logical, intent(in), optional :: periodic_lon
    integer, intent(in), optional :: n_threads
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int) :: periodic, threads
    call free_plan(plan)
    if (size(fine_row_area) /= n_lat*factor) then
      call gpp_refuse("fine_row_area: expected n_lat * factor values", stat, errmsg)
      return
    end if
    periodic = 0
    threads = 1
    if (present(periodic_lon)) periodic = merge(1, 0, periodic_lon)
    if (present(n_threads)) threads = n_threads
    plan%n_lat = n_lat
    plan%n_lon = n_lon
    plan%factor = factor
    call gpp_finish(gpp_regrid_plan_new(int(n_lat, c_int64_t), int(n_lon, c_int64_t), int(factor, c_int64_t), &
      c_loc(fine_row_area), periodic, threads, plan%handle), stat, errmsg)
  end subroutine

  ! Values equal to `missing` are missing in predictions with this workspace, beside NaN; NaN: none are.
  subroutine gpp_set_missing(work, missing, stat, errmsg)
    type(gpp_workspace), intent(in) :: work
    real(c_double), intent(in) :: missing
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    call gpp_finish(gpp_workspace_set_missing(work%handle, missing), stat, errmsg)
  end subroutine

  subroutine size_of_forest(forest, n_features, n_outputs, n_trees, stat, errmsg)
    type(gpp_forest), intent(in) :: forest
    integer, intent(out), optional :: n_features, n_outputs, n_trees
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int64_t), target :: n(3)
    n = 0
    call gpp_finish(gpp_forest_info(forest%handle, c_loc(n(1)), c_loc(n(2)), c_loc(n(3))), stat, errmsg)
    if (present(n_features)) n_features = int(n(1))
    if (present(n_outputs)) n_outputs = int(n(2))
    if (present(n_trees)) n_trees = int(n(3))
  end subroutine

  subroutine size_of_model(model, n_predictors, n_sources, n_members, has_interval, stat, errmsg)
    type(gpp_model), intent(in) :: model
    integer, intent(out), optional :: n_predictors, n_sources, n_members
    logical, intent(out), optional :: has_interval
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int64_t), target :: n(3)
    integer(c_int), target :: interval
    n = 0
    interval = 0
    call gpp_finish(gpp_model_info(model%handle, c_loc(n(1)), c_loc(n(2)), c_loc(n(3)), c_loc(interval)), stat, errmsg)
    if (present(n_predictors)) n_predictors = int(n(1))
    if (present(n_sources)) n_sources = int(n(2))
    if (present(n_members)) n_members = int(n(3))
    if (present(has_interval)) has_interval = interval /= 0
  end subroutine

  ! Name of feature i, counted from 1; empty if the forest has no names.
  function gpp_feature(forest, i) result(name)
    type(gpp_forest), intent(in) :: forest
    integer, intent(in) :: i
    character(len=:), allocatable :: name
    type(c_ptr) :: text
    call gpp_finish(gpp_forest_feature(forest%handle, int(i - 1, c_int64_t), text))
    name = string(text)
  end function

  ! Name, unit and valid range of predictor i, counted from 1.
  subroutine predictor_of_model(model, i, name, unit, low, high, stat, errmsg)
    type(gpp_model), intent(in) :: model
    integer, intent(in) :: i
    character(len=:), allocatable, intent(out), optional :: name, unit
    real(c_double), intent(out), optional :: low, high
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_ptr) :: text, text_of_unit
    real(c_double), target :: range(2)
    integer :: status
    status = gpp_model_predictor(model%handle, int(i - 1, c_int64_t), text)
    if (status == gpp_ok) status = gpp_model_predictor_unit(model%handle, int(i - 1, c_int64_t), text_of_unit, &
      c_loc(range(1)), c_loc(range(2)))
    call gpp_finish(status, stat, errmsg)
    if (status /= gpp_ok) return
    if (present(name)) name = string(text)
    if (present(unit)) unit = string(text_of_unit)
    if (present(low)) low = range(1)
    if (present(high)) high = range(2)
  end subroutine

  ! Parameters of a plant functional type by its name.
  subroutine pft_by_name(name, parameters, stat, errmsg)
    character(len=*), intent(in) :: name
    type(gpp_pft_parameters), intent(out), target :: parameters
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    parameters%size = c_sizeof(parameters)
    call gpp_finish(c_pft(trim(name)//c_null_char, c_loc(parameters)), stat, errmsg)
  end subroutine

  ! Name of the instruction set in use.
  function isa_in_use() result(name)
    character(len=:), allocatable :: name
    type(c_ptr) :: text
    call gpp_finish(c_isa(text))
    name = string(text)
  end function

  ! Ends the program unless the library that was loaded has the interface of this module.
  subroutine gpp_require_abi()
    if (gpp_abi_version() == gppcore_abi_version) return
    write (error_unit, "(a, i0, a, i0)") "libgppcore: expected ABI ", gppcore_abi_version, ", got ", gpp_abi_version()
    error stop 1
  end subroutine

  ! What went wrong in this thread's last call that failed.
  function gpp_message() result(text)
    character(len=:), allocatable :: text
    text = string(gpp_last_error())
  end function

  ! Hands a status on in the manner of the language.
  subroutine gpp_finish(status, stat, errmsg)
    integer, intent(in) :: status
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (present(stat)) stat = status
    if (status == gpp_ok) return
    if (present(errmsg)) errmsg = gpp_message()
    if (present(stat)) return
    write (error_unit, "(2a)") "gppcore: ", gpp_message()
    error stop 1
  end subroutine

  ! The same for a fault that is found here: a wrong shape.
  subroutine gpp_refuse(message, stat, errmsg)
    character(len=*), intent(in) :: message
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    if (present(stat)) stat = gpp_error_shape
    if (present(errmsg)) errmsg = message
    if (present(stat)) return
    write (error_unit, "(2a)") "gppcore: ", message
    error stop 1
  end subroutine

  ! Distance of two elements in elements, as the descriptor of an array has it.
  pure integer(c_int64_t) function gpp_stride(first, second, bytes) result(stride)
    type(c_ptr), intent(in) :: first, second
    integer, intent(in) :: bytes
    stride = (transfer(second, 0_c_intptr_t) - transfer(first, 0_c_intptr_t))/bytes
  end function

  ! Notes where column i lies: n elements (1: one value for all rows).
  subroutine gpp_put(columns, i, at, stride, n, bytes, stat, errmsg)
    type(gpp_columns), intent(inout) :: columns
    integer, intent(in) :: i, bytes
    type(c_ptr), intent(in) :: at
    integer(c_int64_t), intent(in) :: stride, n
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_ptr), allocatable :: grown_at(:)
    integer(c_int64_t), allocatable :: grown_stride(:)
    integer :: had
    had = 0
    if (allocated(columns%at)) had = size(columns%at)
    if (i < 1) then
      call gpp_refuse("columns: expected an index from 1", stat, errmsg)
    else if (columns%bytes /= 0 .and. columns%bytes /= bytes) then
      call gpp_refuse("columns: expected numbers of one kind", stat, errmsg)
    else if (n /= 1 .and. columns%n > 1 .and. columns%n /= n) then
      call gpp_refuse("columns: expected as many rows in each", stat, errmsg)
    else
      if (i > had) then
        allocate (grown_at(i), grown_stride(i))
        grown_at = c_null_ptr
        grown_stride = 0
        if (had > 0) then
          grown_at(:had) = columns%at
          grown_stride(:had) = columns%stride
        end if
        call move_alloc(grown_at, columns%at)
        call move_alloc(grown_stride, columns%stride)
      end if
      columns%at(i) = at
      columns%stride(i) = merge(0_c_int64_t, stride, n == 1)
      columns%n = max(columns%n, n)
      columns%bytes = bytes
      if (present(stat)) stat = gpp_ok
    end if
  end subroutine

  ! Whether columns fit a call; else the fault has been reported.
  logical function gpp_fits(columns, n_columns, n, bytes, stat, errmsg)
    type(gpp_columns), intent(in) :: columns
    integer, intent(in) :: n_columns, n, bytes
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    gpp_fits = .false.
    if (.not. allocated(columns%at)) then
      call gpp_refuse("columns: expected one for each predictor, got none", stat, errmsg)
    else if (size(columns%at) /= n_columns) then
      call gpp_refuse("columns: expected one for each predictor, got another number", stat, errmsg)
    else if (columns%bytes /= bytes) then
      call gpp_refuse("columns: expected the kind of the result", stat, errmsg)
    else if (columns%n /= n .and. columns%n /= 1) then
      call gpp_refuse("columns: expected as many rows as the result", stat, errmsg)
    else
      gpp_fits = .true.
    end if
  end function

  ! Counts implausible values of columns into counts(gpp_checks, n_predictors); fails if there are any.
  subroutine gpp_check_columns(model, columns, counts, work, stat, errmsg)
    type(gpp_model), intent(in) :: model
    type(gpp_columns), intent(in), target :: columns
    integer(c_int64_t), intent(out), contiguous, target, optional :: counts(:, :)
    type(gpp_workspace), intent(in), optional :: work
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer :: n_predictors
    type(c_ptr) :: scratch, to
    call gpp_size(model, n_predictors, stat=stat, errmsg=errmsg)
    if (present(stat)) then
      if (stat /= gpp_ok) return
    end if
    if (.not. gpp_fits(columns, n_predictors, int(columns%n), columns%bytes, stat, errmsg)) return
    scratch = c_null_ptr
    to = c_null_ptr
    if (present(work)) scratch = work%handle
    if (present(counts)) then
      if (size(counts, 1) /= gpp_checks .or. size(counts, 2) /= n_predictors) then
        call gpp_refuse("counts: expected (gpp_checks, n_predictors)", stat, errmsg)
        return
      end if
      to = c_loc(counts)
    end if
    if (columns%bytes == c_sizeof(0.0_c_float)) then
      call gpp_finish(gpp_model_check_f32(model%handle, scratch, columns%at, c_loc(columns%stride), columns%n, to), &
        stat, errmsg)
    else
      call gpp_finish(gpp_model_check_f64(model%handle, scratch, columns%at, c_loc(columns%stride), columns%n, to), &
        stat, errmsg)
    end if
  end subroutine

  ! The text of a string of C.
  function string(from) result(text)
    type(c_ptr), intent(in) :: from
    character(len=:), allocatable :: text
    character(kind=c_char), pointer :: bytes(:)
    integer :: i, n
    text = ""
    if (.not. c_associated(from)) return
    call c_f_pointer(from, bytes, [8192])
    n = 0
    do while (bytes(n + 1) /= c_null_char)
      n = n + 1
    end do
    text = repeat(" ", n)
    do i = 1, n
      text(i:i) = bytes(i)
    end do
  end function

  subroutine free_forest(forest)
    type(gpp_forest), intent(inout) :: forest
    if (c_associated(forest%handle)) call gpp_forest_free(forest%handle)
    forest%handle = c_null_ptr
  end subroutine

  subroutine free_model(model)
    type(gpp_model), intent(inout) :: model
    if (c_associated(model%handle)) call gpp_model_free(model%handle)
    model%handle = c_null_ptr
  end subroutine

  subroutine free_workspace(work)
    type(gpp_workspace), intent(inout) :: work
    if (c_associated(work%handle)) call gpp_workspace_free(work%handle)
    work%handle = c_null_ptr
  end subroutine

  subroutine free_plan(plan)
    type(gpp_regrid_plan), intent(inout) :: plan
    if (c_associated(plan%handle)) call gpp_regrid_plan_free(plan%handle)
    plan%handle = c_null_ptr
  end subroutine

  subroutine refuse_copy(handle)
    type(c_ptr), intent(in) :: handle
    if (c_associated(handle)) error stop "gppcore: handles are not copied: pass them, or use pointers to them"
    error stop "gppcore: handles are not copied"
  end subroutine

  subroutine copy_forest(to, from)
    type(gpp_forest), intent(inout) :: to
    type(gpp_forest), intent(in) :: from
    to%handle = c_null_ptr
    call refuse_copy(from%handle)
  end subroutine

  subroutine copy_model(to, from)
    type(gpp_model), intent(inout) :: to
    type(gpp_model), intent(in) :: from
    to%handle = c_null_ptr
    call refuse_copy(from%handle)
  end subroutine

  subroutine copy_workspace(to, from)
    type(gpp_workspace), intent(inout) :: to
    type(gpp_workspace), intent(in) :: from
    to%handle = c_null_ptr
    call refuse_copy(from%handle)
  end subroutine

  subroutine copy_plan(to, from)
    type(gpp_regrid_plan), intent(inout) :: to
    type(gpp_regrid_plan), intent(in) :: from
    to%handle = c_null_ptr
    call refuse_copy(from%handle)
  end subroutine
end module
