"""Make the Fortran interface of gppcore.h: ``python cpp/fortran/generate.py > cpp/fortran/gppcore_c.f90``.

Everything that the header declares is translated, name by name: constants, structs and functions. Pointers to numbers
and structs become C pointers by value, so that NULL can be passed; handles that a function makes are intent(out).
"""

from __future__ import annotations

import re
from pathlib import Path

HEADER = Path(__file__).parents[1] / "include" / "gppcore" / "gppcore.h"
KINDS = {"int": "integer(c_int)", "int32_t": "integer(c_int32_t)", "int64_t": "integer(c_int64_t)"}
KINDS |= {"gpp_status": "integer(c_int)", "double": "real(c_double)", "float": "real(c_float)"}
LINE = 116


def header() -> str:
    """Return the declarations of the header, without comments, preprocessor lines and the API macro."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    text = text[text.index('extern "C" {') : text.rindex("#ifdef __cplusplus")]
    return text.replace("GPP_API", "")


def constants(text: str) -> list[str]:
    """Return the constants: the version of the ABI, and the members of enumerations."""
    version = re.search(r"#define GPPCORE_ABI_VERSION (\d+)", text)
    assert version
    lines = [f"integer(c_int), parameter :: gppcore_abi_version = {version[1]}"]
    for body in re.findall(r"enum(?: \w+)? \{(.*?)\}", text, flags=re.DOTALL):
        value = -1
        for member in filter(None, (part.strip() for part in body.split(","))):
            name, _, given = (part.strip() for part in member.partition("="))
            value = int(given) if given else value + 1
            lines.append(f"integer(c_int), parameter :: {name.lower()} = {value}")
    return lines


def structs(text: str) -> list[str]:
    """Return the structs as interoperable types."""
    lines = []
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", text, flags=re.DOTALL):
        lines.append(f"type, bind(c) :: {name}")
        for kind, members in re.findall(r"(\w+) ([\w, ]+);", body):
            lines.append(f"  {KINDS[kind]} :: {members}")
        lines.append("end type")
    return lines


def argument(declaration: str) -> tuple[str, str]:
    """Return the name and the Fortran declaration of an argument."""
    match = re.fullmatch(r"(const )?(\w+)(\*|\*\*|\* const\*)? ?(\w+)", declaration.strip())
    assert match, declaration
    constant, kind, stars, name = match.groups()
    name = name.lower()
    if not stars:
        return name, f"{KINDS[kind]}, value :: {name}"
    if stars == "* const*":
        return name, f"type(c_ptr), intent(in) :: {name}(*)"
    if stars == "**":
        return name, f"type(c_ptr), intent(out) :: {name}"
    if kind == "char" and constant:
        return name, f"character(kind=c_char), intent(in) :: {name}(*)"
    return name, f"type(c_ptr), value :: {name}"


def function(result: str, name: str, arguments: str) -> list[str]:
    """Return the interface body of a function."""
    given = [] if arguments.strip() == "void" else [argument(a) for a in arguments.split(",")]
    kind = {"void": "", "const char*": "type(c_ptr) "}.get(result, KINDS.get(result, "?") + " ")
    word = "subroutine" if result == "void" else "function"
    line = f"{kind}{word} {name}({', '.join(n for n, _ in given)}) bind(c)"
    if len(line) > LINE - 4:
        cut = line.rindex(",", 0, LINE - 8) + 1
        line = f"{line[:cut]} &\n      {line[cut:].strip()}"
    return [line, "  import", *(f"  {declared}" for _, declared in given), f"end {word}"]


def functions(text: str) -> list[str]:
    """Return the interface bodies of all functions."""
    flat = re.sub(r"\s+", " ", re.sub(r"#.*", "", text))
    found = re.findall(r"(const char\*|\w+) (gpp_\w+)\(([^()]*)\);", flat)
    return [line for parts in found for line in function(*parts)]


def module() -> str:
    """Return the modules."""
    text = header()
    indented = [f"    {line}" for line in functions(text)]
    lines = [
        "! The C interface of libgppcore as it is, made of gppcore.h by generate.py; module gppcore is the one to use.",
        "module gppcore_constants",
        "  use, intrinsic :: iso_c_binding",
        "  implicit none",
        "  public",
        "",
        *(f"  {line}" for line in constants(text)),
        "",
        *(f"  {line}" for line in structs(text)),
        "end module",
        "",
        "module gppcore_c",
        "  use, intrinsic :: iso_c_binding",
        "  implicit none",
        "  public",
        "",
        "  interface",
        *indented,
        "  end interface",
        "end module",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(module())
