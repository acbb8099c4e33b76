"""Text of tower files: one header and rows of equal length; anything else is refused."""

from __future__ import annotations

import gzip
import lzma
import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from gppcore.errors import GppcoreError, MissingFileError, TowerFormatError
from gppcore.io.reading import read_file, unpacked
from gppcore.towers.files.stated import stated_units

if TYPE_CHECKING:
    import pandas as pd

STEPS = ("HH", "HR", "DD", "WW", "MM")
"""Half-hours, hours, days, weeks, months: the steps of FLUXNET files, finest first."""

_OTHER_PRODUCTS = re.compile(r"_(ERA\w*|AUX\w*|BIF\w*|BADM|VARINFO|YY)(?=[_.])")
_OF_A_MAC = re.compile(r"(^|/)(__MACOSX/|\._)")
"""What a Mac adds to its zip archives beside each file: no tables, whatever their names end in."""
_ABOUT = re.compile(r"readme|licen[cs]e|citation|policy|manifest|snapshot", re.IGNORECASE)
"""Names of what comes with downloads beside the tables."""
_OTHER_MISSING = {"", "nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "inf", "#value!", "#div/0!"}
_DAMAGE = (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError, ValueError)
"""What the libraries raise for archives that are damaged, encrypted or compressed by an unknown method."""
_DECIMAL_COMMA = re.compile(r"\s*-?\d*,\d+\s*")


@dataclass(frozen=True)
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
    marked : bool
        Whether the text began with a byte-order mark.
    units : mapping of str to str
        Units that a row below the header states, by column, in the spelling of `columns.conversions`.
    """

    where: str
    name: str
    comments: tuple[str, ...]
    header: tuple[str, ...]
    first_line: int
    text: bytes
    marked: bool
    units: Mapping[str, str] = field(default_factory=dict)

    def at(self, row: int) -> str:
        """Name a row of data, counted from 0, for messages."""
        return f"{self.where}, line {self.first_line + row}"

    def read(self, columns: Sequence[str], words: Sequence[str], *, official: bool) -> pd.DataFrame:
        """Read some columns as they stand: numbers where all cells hold some, else text; `words` always as text.

        Parameters
        ----------
        columns, words : sequence of str
            Columns of the header.
        official : bool
            Whether -9999 is the only mark of a missing value; else empty cells and NaN are missing too.

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
                    keep_default_na=not official,
                )
        except (ValueError, OverflowError) as error:
            raise TowerFormatError(f"{self.where}: expected a CSV table in UTF-8, got: {error}") from None

    def numbers(self, column: pd.Series) -> pd.Series:
        """Return a column of `read` as float64.

        Raises
        ------
        TowerFormatError
            If a cell holds no number.
        """
        import pandas as pd

        found = pd.to_numeric(column, errors="coerce").astype("float64")
        wrong = (found.isna() & column.notna()).to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            at, text = self.at(int(column.index[row])), str(column.iloc[row])
            raise TowerFormatError(f"{at}, {column.name}: expected a number, got {_reading(text, self)}")
        return found


def is_table(name: str) -> bool:
    """Return whether a file of this name can be a table of a tower, rather than another product or a system's file."""
    ends = name.lower().endswith((".csv", ".csv.gz", ".zip", ".txt", ".nc"))
    return ends and not any(pattern.search(name) for pattern in (_OTHER_PRODUCTS, _OF_A_MAC, _ABOUT))


def open_content(path: str | Path, step: str | None = None) -> Content:
    """Open a CSV table, plain, gzipped or in a zip archive as the networks distribute it.

    Parameters
    ----------
    path : str or Path
        The file.
    step : {"HH", "HR", "DD", "WW", "MM"}, optional
        Which table of an archive; without it the finest.

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
    text, where, name = read_file(path, TowerFormatError), str(path), path.name
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                name = _member(archive.namelist(), step, where)
                where = f"{path}: {name}"
                with archive.open(name) as file:
                    text = unpacked(file, archive.getinfo(name).compress_size, where, TowerFormatError)
        elif path.suffix == ".gz":
            with gzip.open(BytesIO(text)) as file:
                text = unpacked(file, len(text), where, TowerFormatError)
        elif path.suffix == ".zip":
            raise zipfile.BadZipFile("no end of the archive")
    except GppcoreError:
        raise
    except _DAMAGE as error:
        raise TowerFormatError(f"{where}: expected a whole archive, got a damaged one: {error}") from None
    return _parse(text, where, Path(name).name)


def _member(names: Sequence[str], step: str | None, where: str) -> str:
    if "xl/workbook.xml" in names:
        raise TowerFormatError(f"{where}: expected a CSV table, got a spreadsheet")
    tables = [name for name in names if is_table(name) and not name.lower().endswith((".zip", ".nc"))]
    for wanted in [step] if step else STEPS:
        if found := [name for name in tables if re.search(rf"_{wanted}(?=[_.])", name)]:
            if len(found) > 1:
                raise TowerFormatError(f"{where}: expected one table of {wanted}, got {found}")
            return found[0]
    if len(tables) == 1 and step is None:
        return tables[0]
    raise TowerFormatError(f"{where}: expected a table of {step or ', '.join(STEPS)}, got {sorted(names)}")


def _parse(text: bytes, where: str, name: str) -> Content:
    marked = text.startswith(b"\xef\xbb\xbf")
    text = text[3:] if marked else text
    if not text or text.isspace():
        raise TowerFormatError(f"{where}: expected a CSV table, got an empty file")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text:
        raise TowerFormatError(f"{where}: expected text in UTF-8, got UTF-16 or binary data")
    if re.match(rb"\s*<(!doctype|html|head|\?xml)", text[:200], re.IGNORECASE):
        raise TowerFormatError(f"{where}: expected a CSV table, got an HTML or XML page (a failed download or login?)")
    comments = []
    while text.startswith(b"#"):
        line, _, text = text.partition(b"\n")
        comments.append(line.decode(errors="replace").strip())
    first_line = len(comments) + 2
    if text.startswith((b"file_info", b'"file_info')):  # EddyPro groups its columns in a line of their own
        text, first_line = text.partition(b"\n")[2], first_line + 1
    text = _with_commas(text, where)
    head = next(BytesIO(text)).decode(errors="replace").rstrip()
    header = tuple(field.strip().strip('"') for field in head.split(","))
    if repeated := sorted({column for column in header if header.count(column) > 1}):
        raise TowerFormatError(f"{where}: expected each column once, got {repeated} again")
    below = text.find(b"\n") + 1 or len(text)
    rows = text.find(b"\n", below) + 1 or len(text)
    if (units := stated_units(header, text[below:rows])) is not None:
        text, first_line = text[:below] + text[rows:], first_line + 1
    end = _end(text)
    if text.find(b"\n", 0, end) < 0:
        raise TowerFormatError(f"{where}: expected rows below the header, got none")
    if b'"' not in text:
        _check_fields(text, end, len(header), where, first_line)
    return Content(where, name, tuple(comments), header, first_line, text, marked, units or {})


def _with_commas(text: bytes, where: str) -> bytes:
    """Return the table separated by commas; other tools write plain tables of tabs and semicolons."""
    head = next(BytesIO(text)).decode(errors="replace").rstrip()
    if "," in head:
        return text
    other = next((d for d in (";", "\t", "|", " ") if d in head), "none")
    if other in (";", "\t") and "TIMESTAMP" not in head:
        if b"," not in text:
            return text.replace(other.encode(), b",")
        raise TowerFormatError(
            f"{where}: expected decimal points, got decimal commas in columns parted by {other!r} "
            "(R: write.csv in place of write.csv2)"
        )
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
    return f"{text!r} (missing is -9999)" if text.strip().lower() in _OTHER_MISSING else repr(text)
