"""The commands of ``originlens bench`` with their options, as ``app`` has the others."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from originlens.surfaces.cli.options import Jsonl

bench_app = typer.Typer(
    name="bench",
    help="Measure systems under standard conditions, and compare them.",
    no_args_is_help=True,
)


class Codec(StrEnum):
    """What equalised pictures are saved as."""

    jpeg = "jpeg"
    png = "png"
    webp = "webp"


class Subsampling(StrEnum):
    """The colour resolution of equalised JPEGs."""

    none = "4:4:4"
    half = "4:2:2"
    quarter = "4:2:0"


Seed = Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of every draw.")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, metavar="N", help="Processes [default: all usable cores]"),
]
ManifestFile = Annotated[
    str, typer.Argument(metavar="MANIFEST", help="A .csv or .parquet file, see `bench manifest`.")
]
LAYOUT_HELP = "One that `bench layouts` names, or a .toml file of yours."


@bench_app.command("list")
def bench_list(jsonl: Jsonl = False) -> int:
    """List the suites, and the systems that they can compare."""
    from originlens.surfaces.cli import bench as body

    return body.list_suites(jsonl=jsonl)


@bench_app.command("run")
def bench_run(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="One that `bench list` names.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="Pictures or folders, repeatable; or one manifest (.csv, .parquet) "
            "[default: the photographs in scikit-image]",
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout", metavar="NAME|FILE", help=f"Read --data as one folder. {LAYOUT_HELP}"
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            "--grid",
            metavar="NAME",
            help="Cells of training and test, see `bench grid --help` "
            "[default: leave-one-generator-out where there are several generators, else none]",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder for results; a run goes on [default: bench-SUITE]"
        ),
    ] = None,
    systems: Annotated[
        str | None,
        typer.Option(
            "--systems",
            metavar="A,B",
            help="Systems, or specs of your models (.toml) [default: the suite's]",
        ),
    ] = None,
    seed: Seed = 0,
    each: Annotated[
        int | None,
        typer.Option("--each", min=1, metavar="N", help="Questions per edit at most."),
    ] = None,
    jobs: Jobs = None,
    jsonl: Jsonl = False,
) -> int:
    """Run a suite: writes rows, tables, Markdown and a page with charts."""
    from originlens.surfaces.cli import bench as body

    return body.run(
        suite,
        data or [],
        layout=layout,
        grid=grid,
        out=out,
        systems=systems,
        seed=seed,
        each=each,
        jobs=jobs,
        jsonl=jsonl,
    )


@bench_app.command("compare")
def bench_compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Folder, or FOLDER:SYSTEM.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Folder, or FOLDER:SYSTEM.")],
    jsonl: Jsonl = False,
) -> int:
    """Compare two runs, or two systems, on the questions that both were asked."""
    from originlens.surfaces.cli import bench as body

    return body.compare(first, second, jsonl=jsonl)


@bench_app.command("leaderboard")
def bench_leaderboard(
    file: Annotated[str, typer.Argument(metavar="FILE.json", help="Made, or added to.")],
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Folders of `bench run`.")],
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="Said beside these runs' systems.")
    ] = "",
) -> int:
    """Add runs to a leaderboard, and write its tables beside it as Markdown."""
    from originlens.surfaces.cli import bench as body

    return body.leaderboard(file, runs, note=note)


@bench_app.command("layouts")
def bench_layouts(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Shown with their folders [default: all, without]"),
    ] = None,
    jsonl: Jsonl = False,
) -> int:
    """List the known data sets' layouts: paper, licence, pages, what is not verified."""
    from originlens.surfaces.cli import protocols as body

    return body.layouts(names or [], jsonl=jsonl)


@bench_app.command("manifest")
def bench_manifest(
    root: Annotated[str, typer.Argument(metavar="ROOT", help="The data set's folder.")],
    out: Annotated[str, typer.Argument(metavar="OUT", help="File to write: .csv or .parquet.")],
    layout: Annotated[
        str, typer.Option("--layout", metavar="NAME|FILE", help=LAYOUT_HELP, show_default=False)
    ],
    jsonl: Jsonl = False,
) -> int:
    """Write the manifest of a known data set: a row per picture, paths relative to OUT."""
    from originlens.surfaces.cli import protocols as body

    return body.manifest(root, out, layout, jsonl=jsonl)


@bench_app.command("audit")
def bench_audit(
    manifest: ManifestFile,
    seed: Seed = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if the set leaks, for scripts.")
    ] = False,
    jsonl: Jsonl = False,
) -> int:
    """Shortcut audit: can the classes be told from metadata and size alone?"""
    from originlens.surfaces.cli import protocols as body

    return body.audit(manifest, seed=seed, strict=strict, jsonl=jsonl)


@bench_app.command("equalise")
def bench_equalise(
    manifest: ManifestFile,
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Empty folder, or that of a run to go on with.")
    ],
    side: Annotated[int, typer.Option("--side", metavar="N", help="Pixels of every side.")] = 128,
    shrink: Annotated[
        str, typer.Option("--shrink", metavar="A..B", help="Side that is cut out, over --side.")
    ] = "1.25..2",
    codec: Annotated[
        Codec, typer.Option("--codec", metavar="jpeg|png|webp", help="What all are saved as.")
    ] = Codec.jpeg,
    quality: Annotated[
        str, typer.Option("--quality", metavar="A..B", help="Of JPEG and WebP, 1 to 100.")
    ] = "75..95",
    subsampling: Annotated[
        Subsampling,
        typer.Option(
            "--subsampling", metavar="4:4:4|4:2:2|4:2:0", help="Colour resolution of JPEG."
        ),
    ] = Subsampling.quarter,
    seed: Seed = 0,
    jobs: Jobs = None,
    jsonl: Jsonl = False,
) -> int:
    """Copy a set so that codec, quality, size and scaling tell nothing of the class."""
    from originlens.surfaces.cli import protocols as body

    recipe = body.recipe(side, shrink, codec.value, quality, subsampling.value)
    return body.equalise(manifest, folder, recipe, seed=seed, jobs=jobs, jsonl=jsonl)


@bench_app.command("grid")
def bench_grid(
    manifest: ManifestFile,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="none, cross[:COLUMN], leave-one-generator-out, leave-one-source-out, "
            "cross-forgery[:COLUMN], cross-domain[:COLUMN], unknown[:GENERATOR,...], one-vs-all, "
            "degradation:ATTACK,...",
        ),
    ],
    seed: Seed = 0,
    jsonl: Jsonl = False,
) -> int:
    """List the cells of a grid with their counts; runs nothing."""
    from originlens.surfaces.cli import protocols as body

    return body.grid(manifest, name, seed=seed, jsonl=jsonl)


@bench_app.command("peers")
def bench_peers(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Peers [default: all]")
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Make their environments (downloads packages).")
    ] = False,
    jsonl: Jsonl = False,
) -> int:
    """List the peers that have environments of their own; --install makes these."""
    from originlens.surfaces.cli import peers as body

    return body.run(names or [], install=install, jsonl=jsonl)
