"""Text of tower files: one header and rows of equal length; anything else is refused."""

from __future__ import annotations

import csv
import gzip
import lzma
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from gppcore.errors import GppcoreError, MissingFileError, TowerFormatError
from gppcore.io.reading import read_file, unpacked
from gppcore.towers.files.stated import stated_units

if TYPE_CHECKING:
    import pandas as pd

_STAMP_PAIR = ("TIMESTAMP_START", "TIMESTAMP_END")
STEPS = ("HH", "HR", "DD", "WW", "MM")
"""Half-hours, hours, days, weeks, months: the steps of FLUXNET files, finest first."""

_OTHER_PRODUCTS = re.compile(r"_(ERA\w*|AUX\w*|BIF\w*|BADM|VARINFO|YY)(?=[_.])")
_OF_A_MAC = re.compile(r"(^|/)(__MACOSX/|\._)")
"""What a Mac adds to its zip archives beside each file: no tables, whatever their names end in."""
_STEP = re.compile(r"_(HH|HR|DD|WW|MM|YY)(?=[_.])", re.IGNORECASE)
_ENDING = re.compile(r"(\.(csv|txt|zip|gz|nc))+$", re.IGNORECASE)
_ABOUT = re.compile(r"readme|licen[cs]e|citation|policy|manifest|snapshot", re.IGNORECASE)
"""Names of what comes with downloads beside the tables."""
_MISSING_WORDS = {"", "nan", "na", "n/a", "#n/a", "null", "none", "-", "--"}
"""Marks of a missing value beside -9999, in lower case: those of R, Python, MATLAB and spreadsheets."""
_MISSING_SPELT = sorted({form(word) for word in _MISSING_WORDS for form in (str, str.upper, str.title)} | {"NaN"})
_DAMAGE = (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError, ValueError)
"""What the libraries raise for archives that are damaged, encrypted or compressed by an unknown method."""
_DECIMAL_COMMA = re.compile(r"\s*-?\d*,\d+\s*")


@dataclass
class Content:
    """Text of one table.

    Attributes
    ----------
    where : str
        File, and the member of an archive, for messages.
    name : str
        Name of the table's file.
    comments : tuple of str
        Lines with # above the header.
    header : tuple of str
        Names of the columns.
    first_line : int
        Line number of the first row of data.
    text : bytes
        Header and rows.
    units : mapping of str to str
        Units that a row below the header states, by column, in the spelling of `columns.conversions`.
    """

    where: str
    name: str
    comments: tuple[str, ...]
    header: tuple[str, ...]
    first_line: int
    text: bytes
    units: Mapping[str, str] = field(default_factory=dict)

    def at(self, row: int) -> str:
        """Name a row of data, counted from 0, for messages."""
        return f"{self.where}, line {self.first_line + row}"

    def forget_text(self) -> None:
        """Let go of the text, which may be hundreds of megabytes, once its columns are read."""
        self.text = b""

    def first_value(self, column: str) -> str:
        """Return the first value of a column as it stands."""
        start = self.text.find(b"\n") + 1
        line = self.text[start : self.text.find(b"\n", start) + 1 or None]
        row, place = next(csv.reader([line.decode(errors="replace")])), self.header.index(column)
        return row[place].strip() if place < len(row) else ""

    def read(self, columns: Sequence[str], words: Sequence[str]) -> pd.DataFrame:
        """Read some columns as they stand: numbers where all cells hold some, else text; `words` always as text.

        Parameters
        ----------
        columns, words : sequence of str
            Columns of the header.

        Raises
        ------
        TowerFormatError
            If the text is no table.
        """
        import pandas as pd

        try:
            with warnings.catch_warnings():
                # Parts of a column with other types: its texts are found and named by `numbers`.
                warnings.simplefilter("ignore", pd.errors.DtypeWarning)
                return pd.read_csv(
                    BytesIO(self.text),
                    usecols=[*words, *columns],
                    dtype=dict.fromkeys(words, "str"),
                    keep_default_na=False,
                    na_values=dict.fromkeys(columns, _MISSING_SPELT),
                    encoding_errors="replace",
                )
        except (ValueError, OverflowError) as error:
            raise TowerFormatError(f"{self.where}: expected a CSV table in UTF-8, got: {error}") from None

    def numbers(self, column: pd.Series) -> pd.Series:
        """Return a column of `read` as float64; words for a missing value, and empty cells, become NaN.

        Raises
        ------
        TowerFormatError
            If a cell holds no number.
        """
        import pandas as pd

        found = pd.to_numeric(column, errors="coerce").astype("float64")
        if column.dtype.kind in "fiub":
            return found
        texts = column[found.isna()].astype("str").str.strip().str.lower()
        wrong = (~texts.isin(_MISSING_WORDS)).to_numpy()
        if wrong.any():
            row = texts.index[int(wrong.argmax())]
            at, text = self.at(int(row)), str(column.loc[row])
            raise TowerFormatError(f"{at}, {column.name}: expected a number, got {_reading(text, self)}")
        return found


def is_table(name: str) -> bool:
    """Return whether a file of this name can be a table of a tower, rather than another product or a system's file."""
    ends = name.lower().endswith((".csv", ".csv.gz", ".zip", ".txt", ".nc"))
    return ends and not any(pattern.search(name) for pattern in (_OTHER_PRODUCTS, _OF_A_MAC, _ABOUT))


def open_contents(path: str | Path, step: str | None = None) -> Iterator[Content | GppcoreError]:
    """Open the tables of a file: one, plain or gzipped, or those of an archive, also of archives within it.

    One table of an archive that is none is returned as an error, so that the others can be read.

    Parameters
    ----------
    path : str or Path
        The file.
    step : {"HH", "HR", "DD", "WW", "MM"}, optional
        Which tables of an archive; without it the finest of each product.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TowerFormatError
        If it is empty, damaged, not a table of commas, or has rows of other length than its header.
    """
    path = Path(path)
    if path.is_dir():
        raise MissingFileError(f"tower file: expected a file, got the folder {path}; name the files in it")
    if not path.is_file():
        raise MissingFileError(f"tower file: expected a file, got no such file {path}")
    if zipfile.is_zipfile(path) or path.suffix.lower() == ".zip":
        yield from _of_archive(read_file(path, TowerFormatError), step, str(path))
    else:
        yield _parse(_text_of(path), str(path), path.name)


def _text_of(path: Path) -> bytes:
    text = read_file(path, TowerFormatError)
    if path.suffix.lower() != ".gz":
        return text
    with _whole(str(path)), gzip.open(BytesIO(text)) as file:
        return unpacked(file, len(text), str(path), TowerFormatError)


def _of_archive(
    archive: bytes, step: str | None, where: str, *, within: bool = False
) -> Iterator[Content | GppcoreError]:
    """Open the tables of a zip archive and of the archives in it, one level deep."""
    with _whole(where):
        members = zipfile.ZipFile(BytesIO(archive))
        names = [entry.filename for entry in members.infolist() if not entry.is_dir()]
    if "xl/workbook.xml" in names:
        raise TowerFormatError(f"{where}: expected a CSV table, got a spreadsheet")
    tables = [name for name in names if is_table(name) and not name.lower().endswith((".zip", ".nc"))]
    packed = [name for name in names if is_table(name) and name.lower().endswith(".zip") and not within]
    chosen = finest(tables, step) if step or any(_STEP.search(name) for name in tables) else tables
    if not chosen and not packed:
        raise TowerFormatError(f"{where}: expected a table of {step or ', '.join(STEPS)}, got {sorted(names)}")
    for name in [*chosen, *packed]:
        there = f"{where}: {name}"
        try:
            if name in packed:
                yield from _of_archive(_member(members, name, there), step, there, within=True)
            else:
                yield _parse(_member(members, name, there), there, Path(name).name)
        except GppcoreError as error:
            yield error


def members_of(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    """Return the files of an archive whose names match a pattern, each with its place for messages."""
    with _whole(str(path)):
        archive = zipfile.ZipFile(BytesIO(read_file(path, TowerFormatError)))
    for name in archive.namelist():
        if pattern.search(name) and not _OF_A_MAC.search(name):
            yield f"{path}: {name}", _member(archive, name, f"{path}: {name}")


def _member(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
    with _whole(where), archive.open(name) as file:
        return unpacked(file, archive.getinfo(name).compress_size, where, TowerFormatError)


@contextmanager
def _whole(where: str) -> Iterator[None]:
    """Name the archive in errors of the libraries that unpack it."""
    try:
        yield
    except GppcoreError:
        raise
    except _DAMAGE as error:
        raise TowerFormatError(f"{where}: expected a whole archive, got a damaged one: {error}") from None


def header_of(path: Path) -> tuple[str, ...]:
    """Return the columns of a plain file of text, as far as its beginning shows them; empty for other files."""
    with path.open("rb") as file:
        text = file.read(65536)
    lines = [line for line in text.removeprefix(b"\xef\xbb\xbf").splitlines() if not line.startswith((b"#", b"file_"))]
    line = lines[0].decode(errors="replace") if lines and path.suffix.lower() in (".csv", ".txt") else ""
    return tuple(field.strip().strip('"').strip() for field in re.split(r"[,;\t]", line))


def finest(names: Sequence[str], step: str | None = None) -> list[str]:
    """Return the tables of the finest step of each product, or of a step, and those whose names state none.

    Parameters
    ----------
    names : sequence of str
        Names of files, perhaps with folders.
    step : str, optional
        The step; without it the finest.
    """
    best: dict[str, tuple[int, str]] = {}
    for name in names:
        stated = _STEP.search(name)
        if step and (stated is None or stated[1].upper() != step):
            continue
        rank = (*STEPS, "YY").index(stated[1].upper()) if stated else 0
        product = _STEP.sub("", _ENDING.sub("", Path(name).name)).lower()
        if rank < best.get(product, (len(STEPS), ""))[0]:
            best[product] = (rank, name)
    return [name for _, name in best.values()]


def _parse(text: bytes, where: str, name: str) -> Content:
    text = text.removeprefix(b"\xef\xbb\xbf")  # the mark of a spreadsheet
    if not text or text.isspace():
        raise TowerFormatError(f"{where}: expected a CSV table, got an empty file")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text:
        raise TowerFormatError(f"{where}: expected text in UTF-8, got UTF-16 or binary data")
    if re.match(rb"\s*<(!doctype|html|head|\?xml)", text[:200], re.IGNORECASE):
        raise TowerFormatError(f"{where}: expected a CSV table, got an HTML or XML page (a failed download or login?)")
    try:
        text[: text.find(b"\n", 4096) + 1 or len(text)].decode()
    except UnicodeDecodeError:  # signs of degrees and micro in the encoding of Windows
        text = text.decode("cp1252", errors="replace").encode()
    if b"\n" not in text[:65536] and b"\r" in text[:65536]:
        text = text.replace(b"\r", b"\n")  # lines of an old Mac
    comments = []
    while text.startswith(b"#"):
        line, _, text = text.partition(b"\n")
        comments.append(line.decode(errors="replace").strip())
    first_line = len(comments) + 2
    if text.startswith((b"file_info", b'"file_info')):  # EddyPro groups its columns in a line of their own
        text, first_line = text.partition(b"\n")[2], first_line + 1
    text = _with_commas(text, where)
    head = next(BytesIO(text)).decode(errors="replace").rstrip()
    header = tuple(field.strip().strip('"').strip() for field in head.split(","))
    header = tuple(field.upper() if field.upper() in _STAMP_PAIR else field for field in header)
    if repeated := sorted({column for column in header if column and header.count(column) > 1}):
        raise TowerFormatError(f"{where}: expected each column once, got {repeated} again")
    below = text.find(b"\n") + 1 or len(text)
    rows = text.find(b"\n", below) + 1 or len(text)
    units = stated_units(header, text[below:rows])
    if units is not None or head.replace('"', "") != ",".join(header):
        first_line += units is not None
        text = b"".join([",".join(header).encode(), b"\n", text[rows if units is not None else below :]])
    end = _end(text)
    if text.find(b"\n", 0, end) < 0:
        raise TowerFormatError(f"{where}: expected rows below the header, got none")
    if b'"' not in text:
        _check_fields(text, end, len(header), where, first_line)
    return Content(where, name, tuple(comments), header, first_line, text, units or {})


def _with_commas(text: bytes, where: str) -> bytes:
    """Return the table separated by commas, with decimal points; other tools write tabs, semicolons, decimal commas."""
    head = next(BytesIO(text)).decode(errors="replace").rstrip()
    other = next((d for d in (";", "\t", ",", "|", " ") if d in head), "none")
    if other == ",":
        return text
    if other in (";", "\t"):
        return text.replace(b",", b".").replace(other.encode(), b",")
    raise TowerFormatError(f"{where}: expected columns parted by commas, got {other!r} in {head[:60]!r}")


def _end(text: bytes) -> int:
    """Return where the last row ends; the text, hundreds of megabytes, is not copied for it."""
    tail = text[-4096:]
    return len(text) - len(tail) + len(tail.rstrip())


def _check_fields(text: bytes, end: int, n: int, where: str, first_line: int) -> None:
    """Refuse a row of other length: the reader of columns would shift or blank what is behind."""
    if text.count(b",") == (text.count(b"\n", 0, end) + 1) * (n - 1):
        return
    rows = text[:end].split(b"\n")[1:]
    row, got = next(((i, r.count(b",") + 1) for i, r in enumerate(rows) if r.count(b",") != n - 1), (0, 0))
    cause = "the file is truncated" if row == len(rows) - 1 and got < n else "decimal commas or a damaged row"
    if got == n + 1 and all(line.count(b",") == n for line in rows):
        cause = "row names of R: write the table with row.names = FALSE"
    raise TowerFormatError(f"{where}, line {first_line + row}: expected {n} fields, got {got} ({cause})")


def _reading(text: str, content: Content) -> str:
    if text.strip() in content.header:
        return f"the header again ({text.strip()!r})"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"a decimal comma ({text!r})"
    return f"{text!r} (missing is -9999)" if text.strip().startswith("#") else repr(text)
