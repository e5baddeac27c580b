"""The command `revops`. Heavy modules are imported by the command that needs them, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from revops_helpers.address import address_of
from revops_helpers.periods import PERIODS
from revops_helpers.settings import LANGUAGES, InputError

ROOT = Path(__file__).resolve().parents[1]


class _Doors(click.Group):
    """Says what is wrong in one message, without a traceback: exit 2 for input, 1 for a review that failed."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Refuse what looks like a secret before anything can say it back; `erase` is told what to look for."""
        from revops_helpers.review.parameters import secret_in

        for place, argument in enumerate(args if args[:1] != ["erase"] else [], 1):
            if kind := secret_in(argument):
                context.fail(
                    f"argument {place} looks like {kind}: what a review is told is published with it, so it was not used"
                )
        return super().parse_args(context, args)

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except InputError as error:
            _say(str(error))
            context.exit(2)
        except Failed as failure:
            _say(str(failure))
            context.exit(1)
        except OSError as error:
            what = f"{error.filename or 'a file'}: {error.strerror or error}"
            _say(f"{what}; nothing was published, and earlier reviews are as they were")
            context.exit(1)


class Failed(Exception):
    """Something was not done; the text says what. Exit 1."""


def _say(text: str) -> None:
    click.echo(f"revops: {text}", err=True)


@click.group(cls=_Doors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="revops-workbook", message="%(prog)s %(version)s")
def main() -> None:
    """From a company's raw exports to a dated review: why behind plan, what is it worth, what happens next."""


def _list(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _languages(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    """Each a language that is there."""
    return tuple(click.Choice(LANGUAGES).convert(one, option, context) for one in _list(context, option, value))


def _measure_on(context: click.Context, option: click.Parameter, value: str | None) -> None:
    """Tell this process and those of the notebooks, which inherit its environment."""
    if value:
        address_of(value)
        os.environ["REVOPS_ENGINE"] = value


@main.command()
@click.argument("data", default="sample")
@click.option("--as-of", default="", metavar="DATE", help="such as 2026-09-30; else the newest closed month end")
@click.option("--period", type=click.Choice(PERIODS), default="ytd", show_default=True, help="what the review is about")
@click.option("--segment", default="", help="one segment of the accounts; else the whole company")
@click.option("--notebooks", default="", callback=_list, metavar="00,01,…", help="numbers or names of notebooks; else all")
@click.option(
    "--language",
    default="",
    callback=_languages,
    metavar="|".join(LANGUAGES),
    help="one, or several as en,pt_BR; else the company's own",
)
@click.option("--out", type=click.Path(path_type=Path), default="reports", show_default=True, help="where reviews are published")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="notebooks at a time")
@click.option("--compare", default="", metavar="DATE", help="an earlier review, or none; else the newest earlier one of its kind")
@click.option("--allow-stale", is_flag=True, help="review sources that are older than company.yml's freshness allows")
@click.option("--notify", envvar="REVOPS_NOTIFY", metavar="URL", help="a webhook that is told in short; REVOPS_NOTIFY holds it")
@click.option("--report-url", default="", metavar="URL", help="where readers find the review, for that message")
@click.option(
    "--publish", envvar="REVOPS_PUBLISH", metavar="URL", help="a database for BI tools, such as postgres://user@host/db"
)
@click.option("--hyper", is_flag=True, help="write exports/metrics.hyper for Tableau; needs the extra [tableau]")
@click.option("--show-people", is_flag=True, help="name people in the lists, instead of giving their ids")
@click.option("--engine", callback=_measure_on, expose_value=False, metavar="URL", help="what measures; else DuckDB in here")
@click.option("-p", "--parameter", "more", nargs=2, multiple=True, metavar="NAME VALUE", help="any other parameter of a notebook")
def review(
    more: tuple[tuple[str, str], ...],
    language: tuple[str, ...],
    publish: str | None,
    notify: str | None,
    report_url: str,
    **given,
) -> None:
    """Run the notebooks on DATA (a folder with company.yml, or the word sample) and publish the review."""
    from revops_helpers.review.kernels import kernels

    if publish or notify or report_url:
        from revops_helpers.review.sending import check, send

        check(publish, notify, report_url, given["show_people"])
    with kernels() as starting:  # while the rest is imported
        from revops_helpers.review.build import Request, ReviewFailed
        from revops_helpers.review.build import review as build
        from revops_helpers.review.progress import bar

        try:
            with bar() as progress:
                spoken = {"language": "".join(language[:1]), "also": language[1:]}
                folder = build(Request(**given, **spoken, more=dict(more)), progress, starting)
        except ReviewFailed as failure:
            raise Failed(str(failure)) from None
    click.echo(f"Review published: {folder.resolve() / 'index.html'}")
    missed = send(folder, given["data"], publish, notify, report_url) if publish or notify else []
    for _status, problem in missed:
        _say(problem)
    if missed:
        click.get_current_context().exit(missed[0][0])


@main.command()
@click.argument("before")
@click.argument("after")
@click.option("--out", type=click.Path(path_type=Path), default="reports", show_default=True, help="where reviews are published")
def compare(before: str, after: str, out: Path) -> None:
    """Print what changed from one review to another; each is a date under --out, or a folder."""
    from revops_helpers.review.compare import compared
    from revops_helpers.words.changes import changes_section, names_of

    found = compared(before, after, out)
    click.echo(f"{names_of(found)}\n\n{changes_section(found).text}")


OUT = click.option(
    "--out", type=click.Path(path_type=Path), default="reports", show_default=True, help="where reviews are published"
)
YES = click.option("--yes", is_flag=True, help="do it; else only list what would be removed")


@main.command()
@click.argument("data", default="")
@click.option("--older-than", required=True, metavar="365d|DATE", help="so many days ago, or before this day")
@OUT
@YES
def purge(data: str, older_than: str, out: Path, yes: bool) -> None:
    """Remove old reviews, failed runs, caches (quarantined rows are in them) and tables that were loaded to an engine: that of
    REVOPS_ENGINE, or of DATA's company.yml. Exports are never touched."""
    from revops_helpers.review.forget import engine_named, moment, older

    engine = engine_named(data)
    _forget(older(out, moment(older_than), engine), out, yes, str(engine))


@main.command()
@click.argument("data")
@click.option(
    "--subject", envvar="REVOPS_SUBJECT", help="id, e-mail, phone or CPF; - reads it from stdin, REVOPS_SUBJECT holds it"
)
@OUT
@YES
def erase(data: str, subject: str | None, out: Path, yes: bool) -> None:
    """Remove every review, failed run, cache and loaded table that holds one person's data; say where DATA itself holds it."""
    from revops_helpers.review.forget import engine_named, holding, left_in, subject_of

    given = sys.stdin.readline() if subject == "-" else subject or ""
    person, engine = subject_of(data, given), engine_named(data)
    _forget(holding(out, person, engine), out, yes, str(engine))
    for line in left_in(data, person):
        click.echo(line)


def _forget(found: list, out: Path, yes: bool, engine: str) -> None:
    from revops_helpers.review.forget import removed

    if engine.startswith(("duckdb:", "spark:")):  # which read what ingest wrote
        click.echo("Files only: neither REVOPS_ENGINE nor the company names an engine that tables are loaded to.")

    for one in found:
        click.echo(f"{one.kind}: {one.path} ({one.since})" + (f": {', '.join(one.files)}" if one.files else ""))
    if not found:
        click.echo("Nothing to remove.")
    elif yes:
        click.echo(f"Removed: {removed(found, out)}")
    else:
        click.echo(f"Nothing was removed. To remove {'this' if len(found) == 1 else f'these {len(found)}'}, add --yes")


@main.command()
@click.argument("data", default="sample")
def check(data: str) -> None:
    """Read DATA and print what was accepted, refused and why. Nothing is run or published."""
    from revops_helpers.review.check import checked_data

    text, problems = checked_data(data)
    click.echo(text)
    if problems:
        raise InputError("\n".join(problems))


@main.group()
def sources() -> None:
    """The sources of a company."""


@sources.command("check")
@click.argument("data", default="sample")
@click.option("--as-of", default="", metavar="DATE", help="the day ages are counted to; else the newest closed month end")
@click.option("--language", type=click.Choice(LANGUAGES), help="else the company's own")
@click.option("--json", "as_json", is_flag=True, help="the same for a program")
def check_sources(data: str, as_of: str, language: str | None, as_json: bool) -> None:
    """Print how DATA fills the model: what is mapped, matched, old, missing and broken. Exit 2 when something is broken."""
    from revops_helpers.review.sources import checked_sources

    text, broken = checked_sources(data, as_of, language, as_json)
    click.echo(text)
    if broken:
        raise InputError("\n".join(broken))


@main.command()
@click.argument("table")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="a .csv or .xlsx; else TABLE.csv here")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="of the explanations")
def template(table: str, out: Path | None, language: str) -> None:
    """Write an empty spreadsheet for TABLE (quotas, targets, spend, …) and explain its columns."""
    from revops_helpers.review.template import write_template

    click.echo(write_template(table, out or Path(f"{table}.csv"), language))


@main.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="a new or empty folder")
@click.option("--seed", type=int, default=20260930, show_default=True)
@click.option("--scale", type=click.FloatRange(min=0.002), default=1.0, show_default=True, help="100: 100k accounts")
def sample(out: Path, seed: int, scale: float) -> None:
    """Write the simulated company with its planted truth to a folder."""
    from revops_helpers.sample.write import write_sample

    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out}: is not empty; name a new folder with --out")
    write_sample(out, seed, scale)
    click.echo(f"Sample company written: {out.resolve()}")


@main.command()
@click.option("--check", "only_check", is_flag=True, help="write nothing; fail when a page is stale")
def docs(only_check: bool) -> None:
    """Write docs/data_model.md and docs/metrics.md from the model and the metrics."""
    folder = ROOT / "docs"
    stale = [name for name, page in _pages().items() if _text(folder / name) != page()]
    if only_check and stale:
        raise Failed(f"stale: {', '.join('docs/' + name for name in stale)}; run make docs")
    for name in stale:
        (folder / name).write_text(_pages()[name](), encoding="utf-8")
    click.echo(f"Written: {', '.join('docs/' + name for name in stale)}" if stale else "Everything was up to date.")


def _pages() -> dict[str, Callable[[], str]]:
    from revops_helpers.metrics.catalogue import catalogue_page
    from revops_helpers.model.page import data_model_page

    return {"data_model.md": data_model_page, "metrics.md": catalogue_page}


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


if __name__ == "__main__":
    main()
