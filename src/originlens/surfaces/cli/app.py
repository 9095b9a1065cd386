"""Every command with its options; bodies live in the module of the command's name.

Only Typer is imported here, so that ``--help`` is quick. What stands in this file is what
``docs/cli.md`` is generated from.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from originlens.surfaces.cli import PROGRAM
from originlens.surfaces.cli.bench_app import bench_app
from originlens.surfaces.cli.options import DEFAULT_INDEX, DiffDir, Html, IndexDir, Jsonl, Rate


class _InOrder(TyperGroup):
    """Lists commands in the order in which people meet them."""

    def list_commands(self, ctx: Any) -> list[str]:
        order = ("index", "search", "examine", "compare", "attack", "bench", "methods")
        return sorted(super().list_commands(ctx), key=order.index)


app = typer.Typer(
    name=PROGRAM,
    cls=_InOrder,
    help="git blame for an image: find the original a picture was made from, and what was changed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help starts in half the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all fine, 1 some input failed, 2 usage.",
)
index_app = typer.Typer(
    name="index",
    help="Keep originals: add, list, remove, check and move them.",
    no_args_is_help=True,
)
app.add_typer(index_app)
app.add_typer(bench_app)


class Engine(StrEnum):
    """Where an ingest runs."""

    local = "local"


def command() -> Any:
    """The whole command line as an object that is called with arguments."""
    return typer.main.get_command(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@index_app.command("add")
def index_add(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Pictures and folders.")],
    index: IndexDir = DEFAULT_INDEX,
    meta: Annotated[
        list[str] | None,
        typer.Option("--meta", metavar="K=V", help="Metadata of every picture added; repeatable."),
    ] = None,
    id_from: Annotated[
        str | None,
        typer.Option(
            "--id-from",
            metavar="NAME|EXIF-FIELD",
            help="Asset id: the file's name without ending (NAME), or an EXIF field.",
        ),
    ] = None,
    proxies: Annotated[
        bool,
        typer.Option(
            "--proxies/--no-proxies", help="Keep a small JPEG to verify and show matches."
        ),
    ] = True,
    regions: Annotated[
        bool,
        typer.Option(
            "--regions",
            help="Describe parts of each new picture, too: finds smaller crops, ten times the "
            "vectors.",
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, metavar="N", help="Processes [default: all usable cores]"),
    ] = None,
    engine: Annotated[
        Engine, typer.Option("--engine", metavar="local", help="Where the work runs.")
    ] = Engine.local,
    jsonl: Jsonl = False,
) -> int:
    """Add pictures; makes the index, skips what it has (metadata given anew is merged)."""
    from originlens.surfaces.cli import index as body

    return body.add(
        paths,
        index,
        meta=meta or [],
        id_from=id_from,
        proxies=proxies,
        regions=regions,
        workers=workers,
        jsonl=jsonl,
    )


@index_app.command("info")
def index_info(index: IndexDir = DEFAULT_INDEX, jsonl: Jsonl = False) -> int:
    """Say what the index holds."""
    from originlens.surfaces.cli import index as body

    return body.info(index, jsonl=jsonl)


@index_app.command("list")
def index_list(index: IndexDir = DEFAULT_INDEX, jsonl: Jsonl = False) -> int:
    """List every ingested path with its asset."""
    from originlens.surfaces.cli import index as body

    return body.list_paths(index, jsonl=jsonl)


@index_app.command("remove")
def index_remove(
    assets: Annotated[list[str], typer.Argument(metavar="ASSET", help="Asset ids or paths.")],
    index: IndexDir = DEFAULT_INDEX,
    jsonl: Jsonl = False,
) -> int:
    """Remove assets; `index compact` then erases them."""
    from originlens.surfaces.cli import index as body

    return body.remove(assets, index, jsonl=jsonl)


@index_app.command("check")
def index_check(index: IndexDir = DEFAULT_INDEX, jsonl: Jsonl = False) -> int:
    """Verify checksums and counts, rebuild what can be."""
    from originlens.surfaces.cli import index as body

    return body.check(index, jsonl=jsonl)


@index_app.command("compact")
def index_compact(index: IndexDir = DEFAULT_INDEX, jsonl: Jsonl = False) -> int:
    """Merge segments and erase what was removed."""
    from originlens.surfaces.cli import index as body

    return body.compact(index, jsonl=jsonl)


@index_app.command("export")
def index_export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="File to write.")],
    index: IndexDir = DEFAULT_INDEX,
    jsonl: Jsonl = False,
) -> int:
    """Write the whole index to one portable file."""
    from originlens.surfaces.cli import index as body

    return body.export(file, index, jsonl=jsonl)


@index_app.command("import")
def index_import(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An export, or a hash list.")],
    index: IndexDir = DEFAULT_INDEX,
    pdq: Annotated[
        bool, typer.Option("--pdq", help="FILE is a list of PDQ hashes: adds hash-only assets.")
    ] = False,
    jsonl: Jsonl = False,
) -> int:
    """Add the assets of an export or of a PDQ hash list."""
    from originlens.surfaces.cli import index as body

    return body.import_file(file, index, pdq=pdq, jsonl=jsonl)


@app.command("search")
def search(
    queries: Annotated[list[str], typer.Argument(metavar="QUERY", help="Pictures and folders.")],
    index: IndexDir = DEFAULT_INDEX,
    top: Annotated[int, typer.Option("--top", min=1, metavar="K", help="Candidates listed.")] = 10,
    rate: Rate = 0.01,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="K=V", help="Only assets with this metadata; repeatable."),
    ] = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also try more views of the query; slower.")
    ] = False,
    examples: Annotated[
        str | None,
        typer.Option(
            "--examples",
            metavar="PATH",
            help="Pairs that show a trick: a folder with originals/ and replicas/, or a CSV file.",
        ),
    ] = None,
    diff_dir: DiffDir = None,
    jsonl: Jsonl = False,
    table: Annotated[bool, typer.Option("--csv", help="Comma-separated rows on stdout.")] = False,
    html: Html = None,
) -> int:
    """Find the original of a picture and what was changed."""
    from originlens.surfaces.cli import search as body

    return body.run(
        queries,
        index,
        top=top,
        max_false_positive_rate=rate,
        where=where or [],
        thorough=thorough,
        examples=examples,
        diff_dir=diff_dir,
        jsonl=jsonl,
        table=table,
        html=html,
    )


@app.command("examine")
def examine(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Pictures and folders.")],
    index: Annotated[
        str | None,
        typer.Option(
            "--index",
            metavar="DIR",
            envvar="ORIGINLENS_INDEX",
            help="Folder that holds the index [default: ./.originlens if there is one]",
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="Q,...", help="Questions to answer.")
    ] = None,
    maps: Annotated[
        str | None,
        typer.Option("--maps", metavar="DIR", help="Write maps of what was found where."),
    ] = None,
    time_budget: Annotated[
        float, typer.Option("--time-budget", metavar="S", help="Seconds per picture.")
    ] = 12.0,
    html: Html = None,
    jsonl: Jsonl = False,
) -> int:
    """Report origin, metadata and what was not examined, and why."""
    from originlens.surfaces.cli import examine as body

    return body.run(
        images, index, only=only, maps=maps, time_budget=time_budget, html=html, jsonl=jsonl
    )


@app.command("compare")
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="The picture in question.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The picture it may be made from.")],
    html: Html = None,
    diff_dir: DiffDir = None,
    jsonl: Jsonl = False,
) -> int:
    """Compare two pictures: relation, transform, edits, map."""
    from originlens.surfaces.cli import compare as body

    return body.run(a, b, html=html, diff_dir=diff_dir, jsonl=jsonl)


@app.command("attack")
def attack(
    expression: Annotated[
        str,
        typer.Argument(metavar="EXPR", help="Edits and strengths: jpeg:0.6+crop:0.2..0.4+meme."),
    ],
    source: Annotated[str, typer.Argument(metavar="SRC", help="A picture, or a folder of them.")],
    target: Annotated[
        str, typer.Argument(metavar="DST", help="File (.png, .jpg, .webp), or a folder.")
    ],
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of what is drawn.")] = 0,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--other", metavar="IMAGE", help="Host or donor of edits that take one; repeatable."
        ),
    ] = None,
    masks: Annotated[
        str | None,
        typer.Option("--masks", metavar="DIR", help="Write what was changed as grey PNGs."),
    ] = None,
    jsonl: Jsonl = False,
) -> int:
    """Edit pictures in a known way, for tests: prints transform and parameters."""
    from originlens.surfaces.cli import attack as body

    return body.run(
        expression, source, target, seed=seed, others=others or [], masks=masks, jsonl=jsonl
    )


@app.command("methods")
def methods(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One method.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Cards as one JSON document.")] = False,
) -> int:
    """List the methods, or show the card of one."""
    from originlens.surfaces.cli import methods as body

    return body.run(name, as_json=as_json)
