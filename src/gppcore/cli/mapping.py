"""The command ``gppcore map``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gppcore.cli.process import Threads
from gppcore.errors import OutputExistsError, RangeError


def map_(
    model: Annotated[Path, typer.Argument(help="Saved model: a folder or zip file.")],
    tiles: Annotated[Path, typer.Argument(help="Tile store with the predictors, of `gppcore tiles build`.")],
    out: Annotated[Path, typer.Argument(help="New folder for the Zarr product.")],
    threads: Threads = None,
    variable: Annotated[
        str, typer.Option(metavar="NAME", help="Name under which the store keeps the predictions.")
    ] = "gpp_daily",
    check: Annotated[
        str, typer.Option(metavar="ACTION", help="On predictors outside their valid range: raise, warn or ignore.")
    ] = "raise",
    uncertainty: Annotated[
        bool, typer.Option(help="Write 90 % bounds and dissimilarity to the towers, if the model has them.")
    ] = True,
    netcdf: Annotated[bool, typer.Option("--netcdf", help="Also write one netCDF4 file per calendar year.")] = False,
    vcmax25: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write Vcmax25 of the calibrated process model behind the model."),
    ] = None,
) -> None:
    """Predict every cell of a tile store with a saved model.

    Writes a gridded product: a Zarr store with CF metadata.
    """
    from rich.progress import Progress

    from gppcore.mapping.run import map_gpp
    from gppcore.mapping.vcmax25 import map_vcmax25
    from gppcore.tiles.store import TileStore
    from gppcore.transfer.transfer_model import TransferModel

    if vcmax25 is not None and vcmax25.exists():
        raise OutputExistsError(f"--vcmax25: expected a new folder, got {vcmax25}, which exists")
    predictor, store = TransferModel.load(model), TileStore.open(tiles)
    parameters = predictor.parameters
    if vcmax25 is not None and parameters is None:
        raise RangeError(f"--vcmax25: expected a model whose process model was calibrated, got {model}, which is not")
    with Progress() as bar:
        task = bar.add_task("Cells", total=store.index.size * len(store.each_year))
        map_gpp(
            predictor,
            store,
            out,
            variable=variable,
            uncertainty=uncertainty,
            check=check,
            n_threads=threads,
            progress=lambda n: bar.update(task, advance=n),
        )
    typer.echo(f"Map  {out}")
    if vcmax25 is not None and parameters is not None:
        map_vcmax25(parameters, store, vcmax25, n_threads=threads)
        typer.echo(f"Map  {vcmax25}")
    if netcdf:
        from gppcore.mapping.product import write_netcdf

        for year in store.each_year:
            file = out.with_name(f"{out.stem}{'' if year is None else f'_{year}'}.nc")
            write_netcdf(out, file, year=year)
            typer.echo(f"Map  {file}")
