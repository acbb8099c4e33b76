"""An experiment: its settings, its check and its run, step by step, each redone only where something changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gppcore
from gppcore.errors import OutputExistsError, RangeError, disk_errors
from gppcore.experiment.changed import keep_unchanged, tile_parts
from gppcore.experiment.check import Finding, check
from gppcore.experiment.inputs import fingerprint, require
from gppcore.experiment.progress import Silent, Steps
from gppcore.experiment.settings import Settings, read_settings
from gppcore.experiment.steps import STEPS, Work
from gppcore.io.durable import write_json
from gppcore.io.reading import read_json
from gppcore.runtime import threads
from gppcore.tiles.metadata import remove_variable
from gppcore.tiles.store import TileStore

if TYPE_CHECKING:
    from distributed import Client

JOURNAL = "run.json"
"""What finished: the digest of each step and how long it took."""


@dataclass(frozen=True)
class Experiment:
    """The way from files to a map and its evaluation; make it with `read`.

    Attributes
    ----------
    path : Path
        Its TOML file.
    settings : Settings
        What the file says.
    folder : Path
        Folder of the results.

    Examples
    --------
    >>> from gppcore import Experiment
    >>> Experiment.read("europe/experiment.toml").run()  # doctest: +SKIP
    """

    path: Path
    settings: Settings
    folder: Path

    @classmethod
    def read(cls, path: str | Path, out: str | Path | None = None) -> Experiment:
        """Read experiment.toml; ``gppcore init`` writes one with comments.

        Parameters
        ----------
        path : str or Path
            The file; paths in it are relative to its folder.
        out : str or Path, optional
            Folder of the results; by default ``results`` beside the file.

        Raises
        ------
        MissingFileError
            If there is no such file.
        RangeError
            If a table, key or value is unknown, missing or of another type.
        """
        path = Path(path)
        return cls(path, read_settings(path), path.parent / "results" if out is None else Path(out))

    def check(self) -> list[Finding]:
        """Look at all inputs without computing: files, names, units, grids, years, value ranges and towers.

        Returns
        -------
        list of Finding
            One for each input and each thing to do; `fault` is set where a run would fail.
        """
        return check(self.settings)

    def run(
        self,
        *,
        to: str | None = None,
        only: str | None = None,
        n_threads: int | None = None,
        client: Client | None = None,
        progress: Steps | Silent | None = None,
    ) -> dict[str, Any]:
        """Run the steps whose settings, inputs or code changed since they last finished, and those after them.

        Parameters
        ----------
        to : str, optional
            Last step, out of `tiles`, `process`, `towers`, `train`, `evaluate`, `map` and `report`.
        only : str, optional
            The one step to run; those before it must have finished.
        n_threads : int, optional
            Threads and processes; all usable cores by default. Results do not depend on it.
        client : distributed.Client, optional
            Cluster that regrids files, simulates, samples towers, maps and compares; its workers see the same files.
            Results are those of threads, byte for byte.
        progress : Steps, optional
            Shows the steps.

        Returns
        -------
        dict
            Numbers of the report, which are also in ``summary.json``; empty if `report` was not run.

        Raises
        ------
        RangeError
            If a step is unknown.
        OutputExistsError
            If the folder holds results that no experiment wrote, or `only` needs steps that have not finished.
        GppcoreError
            If an input is missing or wrong; see :meth:`check`. Finished work is kept: the same call resumes it.

        Notes
        -----
        Files count as changed when their size or time of change differ.
        """
        names = _chosen(to, only)
        for name in names:
            require(STEPS[name].files(self.settings), self.settings.recipe.folder, name)
        journal = self._journal()
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        work = Work(self.settings, self.folder, threads(n_threads), client, progress or Silent())
        digests: dict[str, str] = {}
        with work.progress:
            for name, step in STEPS.items():
                digests[name] = self._digest(name, digests)
                finished = journal.get(name, {}).get("digest") == digests[name]
                if name not in names:
                    if only and not finished and list(STEPS).index(name) < list(STEPS).index(only):
                        raise OutputExistsError(f"only: expected {name!r} finished with these settings; run it first")
                    continue
                entry = journal.setdefault(name, {})
                left = {path.name for path in self._left(name)}
                if finished and left and left.issuperset(entry.get("left", ())):
                    continue
                if entry.get("begun") != digests[name]:
                    parts = tile_parts(self.settings) if name == "tiles" else {}
                    if not parts or not keep_unchanged(self.folder, entry.get("parts", {}), parts):
                        self._clear(name)
                    journal[name] = entry = {"begun": digests[name], "parts": parts}
                    write_json(self.folder / JOURNAL, journal)
                start = time.perf_counter()
                step.run(work, digests[name], {n: entry.get("seconds", 0.0) for n, entry in journal.items()})
                seconds = round(time.perf_counter() - start, 2)
                left = {path.name for path in self._left(name)}
                journal[name] = {**entry, "digest": digests[name], "seconds": seconds, "left": sorted(left)}
                write_json(self.folder / JOURNAL, journal)
        summary = self.folder / "summary.json"
        return dict(read_json(summary, OutputExistsError)) if "report" in names and summary.exists() else {}

    def _journal(self) -> dict[str, Any]:
        """Return what earlier runs finished; refuse a folder with results of something else."""
        path = self.folder / JOURNAL
        if path.is_file():
            return dict(read_json(path, OutputExistsError))
        there = sorted(path.name for name in STEPS for path in self._left(name))
        if there:
            raise OutputExistsError(
                f"{self.folder}: expected a folder without results or with those of an experiment, got {there} "
                f"without {JOURNAL}; choose a new folder"
            )
        return {}

    def _left(self, name: str) -> list[Path]:
        """Return what a step left in the folder."""
        return [path for pattern in STEPS[name].keeps for path in self.folder.glob(pattern)]

    def _digest(self, name: str, before: dict[str, str]) -> str:
        """Return the digest of the settings, inputs and code of a step and of the steps that it needs."""
        step = STEPS[name]
        parts = {
            "gppcore": gppcore.__version__,
            "settings": step.settings(self.settings),
            "files": fingerprint(step.files(self.settings), self.settings.recipe.folder),
            "after": [before[other] for other in step.after],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_plain).encode()).hexdigest()[:16]

    def _clear(self, name: str) -> None:
        """Remove what an earlier run of a step left, so that nothing of other settings is taken for its result."""
        for path in self._left(name):
            with disk_errors(path):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        store = self.folder / "tiles"
        if STEPS[name].variables and store.exists():
            with TileStore.open(store).writing():
                for variable in STEPS[name].variables:
                    remove_variable(store, variable)


def _chosen(to: str | None, only: str | None) -> Sequence[str]:
    names = list(STEPS)
    for option, name in (("to", to), ("only", only)):
        if name is not None and name not in names:
            raise RangeError(f"{option}: expected one of {names}, got {name!r}")
    if only is not None:
        return (only,)
    return names[: names.index(to) + 1] if to else names


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else asdict(value)
