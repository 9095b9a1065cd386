"""The commands of ``originlens bench`` with their options, as ``app`` has the others."""

from __future__ import annotations

from typing import Annotated

import typer

from originlens.surfaces.cli.options import Jsonl

bench_app = typer.Typer(
    name="bench",
    help="Measure systems under standard conditions, and compare them.",
    no_args_is_help=True,
)


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
            help="Pictures or folders; repeatable [default: the photographs in scikit-image]",
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
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of every draw.")] = 0,
    each: Annotated[
        int | None,
        typer.Option("--each", min=1, metavar="N", help="Questions per edit at most."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, metavar="N", help="Processes [default: all usable cores]"),
    ] = None,
    jsonl: Jsonl = False,
) -> int:
    """Run a suite: writes rows, tables, Markdown and a page with charts."""
    from originlens.surfaces.cli import bench as body

    return body.run(
        suite,
        data or [],
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
