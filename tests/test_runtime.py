import ast
import shutil
import subprocess
from pathlib import Path

import pytest

import gppcore
from gppcore import _core, runtime
from gppcore.errors import KernelError, MissingFileError

STUB = Path(gppcore.__file__).parent / "_core.pyi"


def test_instruction_set_in_use_is_a_supported_one():
    assert runtime.isa() in runtime.supported_isas()
    assert runtime.supported_isas()[0] == "baseline"


def test_unknown_instruction_set_is_refused(run_on_isa):
    code = (
        "from gppcore import runtime\nfrom gppcore.errors import KernelError\n"
        "try:\n    runtime.isa()\nexcept KernelError as error:\n    print(error)"
    )
    assert "mmx" in run_on_isa("mmx", code)
    assert issubclass(KernelError, RuntimeError)


def test_header_and_library_are_where_they_are_said_to_be():
    assert (runtime.include_dir() / "gppcore" / "gppcore.h").is_file()
    assert runtime.library_path().name == "libgppcore.so"


def test_incomplete_installation_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(gppcore, "__path__", [str(tmp_path)])
    monkeypatch.setattr(_core, "__file__", str(tmp_path / "_core.so"))
    with pytest.raises(MissingFileError, match=r"lib/libgppcore.so: expected in one of"):
        runtime.library_path()


def test_library_exports_the_c_interface_only():
    if shutil.which("nm") is None:
        pytest.skip("nm (binutils) is not installed")
    command = ["nm", "-D", "--defined-only", str(runtime.library_path())]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    exported = {line.split()[-1].split("@")[0] for line in lines}
    assert "gpp_abi_version" in exported
    assert sorted(name for name in exported if not name.startswith("gpp_")) == []


def test_stub_names_every_public_attribute_of_the_compiled_module():
    stub = ast.parse(STUB.read_text())

    def names(node):
        return {child.name for child in node.body if isinstance(child, ast.FunctionDef | ast.ClassDef)}

    def public(thing):
        return {name for name in dir(thing) if not name.startswith("_")}

    assert names(stub) == public(_core)
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            assert names(node) - {"__init__"} == public(getattr(_core, node.name)), node.name


def test_public_names_are_all_there():
    assert "two_leaf_gpp" in dir(gppcore)
    for name in gppcore.__all__:
        assert getattr(gppcore, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = gppcore.nothing
