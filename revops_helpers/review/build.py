"""One review, from a folder of exports to a published folder of pages: `review(Request(...))`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from revops_helpers.backends.serving import shared
from revops_helpers.ingest import READ
from revops_helpers.model.company import Company
from revops_helpers.model.freshness import freshness
from revops_helpers.review import bi, compare, exports, measured, run
from revops_helpers.review.collect import DASHBOARDS, Report, all_findings, report, reproducible, role_of
from revops_helpers.review.fixes import write_fixes
from revops_helpers.review.gates import MANIFEST, Gate, check
from revops_helpers.review.kernels import Kernels, kernels
from revops_helpers.review.manifest import data_name, inputs_of, manifest, now
from revops_helpers.review.parameters import Parameter, checked, declared, iso_date, without_secrets
from revops_helpers.review.publish import building, keep_failed, name_of, prepared, publish
from revops_helpers.review.site import write_pages
from revops_helpers.settings import InputError, read_settings
from revops_helpers.warehouse import engine_of
from revops_helpers.words.below import translated
from revops_helpers.words.language import Text, _, translate_markdown, use
from revops_helpers.words.markup import Part, plain
from revops_helpers.words.messages import DOMAIN, FOLDER
from revops_helpers.words.roles import role_named, roles
from revops_helpers.workspace import folder_of, open_company

STANDARD = ("data", "as_of", "period", "segment", "language")
METRICS = "table of metrics"
ALL_METRICS_SECONDS = 4 * run.CELL_SECONDS  # one cell measures everything; an engine that plans each query takes seconds a query
ROLES = "role_dashboard"  # the notebook that is run for every role


class ReviewFailed(Exception):
    """The review was not published. The text says what failed and where its copy is; the command exits 1."""


class _GatesShut(Exception):
    """Gates that did not hold, one problem a line."""


@dataclass(frozen=True)
class Request:
    """What to review. Empty texts mean: the newest closed month, the whole company, the company's own language, all notebooks.

    show_people: people are named in the lists of the reports, instead of given by id.
    hyper: the metrics as Tableau's extract too.
    allow_stale: sources older than company.yml allows are only noted.
    compare: an earlier review, by its name under `out` or its folder; else the newest earlier one of its kind; "none" for none.
    """

    data: str = "sample"
    as_of: str = ""
    period: str = "ytd"
    segment: str = ""
    language: str = ""
    notebooks: tuple[str, ...] = ()
    out: Path = Path("reports")
    jobs: int = 2
    compare: str = ""
    show_people: bool = False
    hyper: bool = False
    allow_stale: bool = False
    more: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True)
class Progress:
    """Is told how many steps there are, and each step that is done."""

    total: Callable[[int], None] = lambda steps: None
    step: Callable[[str], None] = lambda name: None


def review(request: Request, progress: Progress | None = None, starting: Kernels | None = None) -> Path:
    """Run the notebooks on a company's data and publish the review. Returns its folder.

    starting: kernels that are held already, while the caller was still importing this module.
    InputError when the input needs a hand: nothing has run and nothing is written. ReviewFailed when a notebook or a gate
    failed: the last published review is as it was, and the copy of what failed is under `.failed/`.
    """
    if request.hyper:
        bi.check_hyper()
    started, clock = now(), time.monotonic()
    given = _given(request)
    sources = _sources(request)
    parameters = {name: _declared(source, name) for name, source in sources.items()}
    checked(parameters, given)
    prepared(request.out)
    measuring = engine_of(None, read_settings(folder_of(request.data) / "company.yml"))
    with nullcontext(starting) if starting else kernels() as held, shared(measuring) as environment:
        held.environment |= environment
        company = _opened(request, given)
        held.environment[READ] = company.fingerprint
        _new_enough(company, request.allow_stale)
        name = name_of(company.as_of, _told_more(request))
        before = compare.earlier(request.compare, request.out, name, company.settings.name)
        told = checked(parameters, given | {"as_of": company.as_of, "language": company.settings.locale})
        told = {name: told[name] | ({"role": role} if (role := role_of(name)) else {}) for name in told}
        shown = {job: parameters | {"data": data_name(folder_of(request.data))} for job, parameters in told.items()}
        made_of = manifest(company, inputs_of(folder_of(request.data), company), shown, compare.identity(before))
        seconds = {"open": time.monotonic() - clock}
        with building(request.out, name) as folder:
            try:
                reports, known = _run(_jobs(sources, told), folder, held, request.jobs, progress or Progress(), shown, company)
                metrics = known["table"]
                changed = compare.changes_part(before, compare.reviewed(name, made_of, metrics, all_findings(reports)))
                absent = set(run.find(request.folder or run.NOTEBOOKS)) - {ROLES} - set(sources)
                _write(folder, company, reports, known, absent, changed)
                if request.hyper:
                    bi.write_hyper(folder / "exports" / "metrics.hyper", metrics)
                write_fixes(folder / "exports", folder_of(request.data), company.settings, known["fixes"])
                exports.write_json(folder / MANIFEST, made_of)  # so that the gates look at it too
                made_of["gates"] = [gate.record() for gate in _held(check(folder, company, reports, metrics))]
            except (run.NotebookFailed, _GatesShut) as failure:
                raise _kept(folder, request.out, name, failure) from None
            seconds |= {one.name: one.seconds for one in reports} | {"whole": time.monotonic() - clock}
            spent = {step: round(lasted, 3) for step, lasted in seconds.items()}
            made_of["run"] = {"started_at": started, "engine": company.shelf.engine, "seconds": spent}
            exports.write_json(folder / MANIFEST, made_of)
            return publish(folder, request.out, name)


def _sources(request: Request) -> dict[str, nbformat.NotebookNode]:
    """Name → notebook to run; that of the roles once for each role, or for the one that was asked for."""
    found = {name: run.read(path) for name, path in run.find(request.folder or run.NOTEBOOKS, request.notebooks).items()}
    if ROLES not in found:
        return found
    of_roles, asked = found.pop(ROLES), request.more.get("role", "")
    if asked:
        role_named(asked)
    return found | {f"{DASHBOARDS}/{role}": of_roles for role in roles() if asked in ("", role)}


def _told_more(request: Request) -> list[str]:
    """What the reader asked for beyond the company's plain review of a date."""
    own = read_settings(folder_of(request.data) / "company.yml").locale
    period = [request.period] if request.period != Request.period else []
    segment = [f"segment-{request.segment}"] if request.segment else []
    language = [request.language] if request.language not in ("", own) else []
    people = ["show-people"] if request.show_people else []
    every, some = (set(run.find(request.folder or run.NOTEBOOKS, names)) for names in ((), request.notebooks))
    short = sorted(stem.partition("_")[0] if stem[0].isdigit() else stem for stem in some)
    only = [f"only-{'-'.join(short)}"] if some != every else []
    return [*period, *segment, *language, *people, *only, *(f"{name}-{value}" for name, value in sorted(request.more.items()))]


def _given(request: Request) -> dict[str, Any]:
    """The parameters that the reader gave; None where nothing was."""
    without_secrets({name: getattr(request, name) for name in (*STANDARD, "compare")} | {"out": request.out} | dict(request.more))
    without_secrets(dict.fromkeys(request.notebooks))
    if request.as_of:
        iso_date(request.as_of)
    for name in set(request.more) & {*STANDARD, "show_people"}:
        raise InputError(f"parameter '{name}' has an option of its own: --{name.replace('_', '-')}")
    data = request.data if request.data == "sample" else str(folder_of(request.data))
    standard = {name: getattr(request, name) or None for name in STANDARD if name != "data"}
    people = {"show_people": True} if request.show_people else {}
    return {"data": data, **standard, **people, **request.more}


def _declared(source: nbformat.NotebookNode, name: str) -> dict[str, Parameter]:
    """What a notebook declares. InputError unless it takes the parameters of every review."""
    found = declared(source, name)
    for missing in (parameter for parameter in STANDARD if parameter not in found):
        raise InputError(f"{name}: does not declare the parameter '{missing}'; a notebook of a review has {', '.join(STANDARD)}")
    return found


def _opened(request: Request, given: Mapping[str, Any]) -> Company:
    """The company, ingested once, in the language of the review."""
    standard = {name: given[name] for name in STANDARD if name != "data"}
    company = open_company(given["data"], **standard | {"period": request.period, "show_people": request.show_people})
    language = request.language or company.settings.locale
    use(language)
    notes = company.notes
    if language != "en" and not (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo").exists():
        notes = (*notes, _("Words are in English: there is no catalogue for {language} yet.", language=language))
    return replace(company, settings=company.settings.model_copy(update={"locale": language}), notes=notes)


def _new_enough(company: Company, allow_stale: bool) -> None:
    """InputError when the newest record of a source is older than company.yml allows."""
    ages = freshness(company.settings, company.newest, [], company.as_of)
    if not allow_stale and (old := [translated(age.note) for age in ages if age.status == "fail"]):
        advice = _("bring newer exports, or allow it for once with --allow-stale")
        raise InputError(plain(_("{problems}; {advice}", problems=Text("; ".join(old)), advice=advice)))


def _jobs(sources: Mapping[str, nbformat.NotebookNode], told: Mapping[str, Mapping[str, Any]]) -> list[run.Job]:
    """The notebooks with what they are told, their Markdown in the language of the review."""
    jobs = []
    for name, source in sources.items():
        copy = nbformat.from_dict(source)
        for cell in copy.cells:
            if cell.cell_type == "markdown":
                cell.source = translate_markdown(cell.source)
        jobs.append(run.Job(name, copy, told[name]))
    return jobs


def _run(
    jobs: list[run.Job],
    folder: Path,
    held: Kernels,
    at_once: int,
    progress: Progress,
    shown: Mapping[str, Mapping],
    company: Company,
) -> tuple[list[Report], dict[str, pd.DataFrame]]:
    """Run the notebooks, and beside them the tables of metrics and their queries where no earlier review has kept them; keep
    copies of the notebooks that are the same in every run."""
    to = folder / "notebooks"
    for job in jobs:
        (to / job.name).parent.mkdir(parents=True, exist_ok=True)
    slots = threading.BoundedSemaphore(at_once)

    def notebook(job: run.Job) -> run.Ran:
        with slots:
            return run.execute(job, to / f"{job.name}.ipynb", held)

    known = measured.kept(company)
    tasks: dict[str, Callable] = {} if known else {METRICS: partial(_measured, company, jobs[0].parameters, held)}
    tasks |= {job.name: partial(notebook, job) for job in jobs}
    progress.total(len(tasks))
    done = run.together(tasks, held, progress.step)
    known = known or done[METRICS]
    reports = [report(job.name, reproducible(done[job.name].notebook, shown[job.name]), done[job.name].seconds) for job in jobs]
    for one in reports:
        nbformat.write(one.notebook, to / f"{one.name}.ipynb")
    return reports, known


def _measured(company: Company, parameters: Mapping[str, Any], held: Kernels) -> dict[str, pd.DataFrame]:
    """The tables of metrics and of queries, made in a kernel and kept for the next review."""
    files = {name: held.folder / f"{name}.parquet" for name in measured.NAMES}
    told = {name: parameters[name] for name in STANDARD if name in parameters} | {name: str(file) for name, file in files.items()}
    job = run.Job(METRICS, run.metrics_notebook(), told)
    run.execute(job, held.folder / "metrics.ipynb", held, ALL_METRICS_SECONDS)
    frames = {name: pd.read_parquet(file) for name, file in files.items()}
    measured.keep(company, frames)
    return frames


def _write(
    folder: Path,
    company: Company,
    reports: list[Report],
    known: Mapping[str, pd.DataFrame],
    absent: set[str],
    changed: Part | None,
) -> None:
    """The pages, tables, exports and findings of a review."""
    findings = all_findings(reports)
    for name in ("tables", "exports"):
        (folder / name).mkdir()
    exports.write_table(folder / "tables", "metrics", known["table"])
    exports.write_table(folder / "tables", "ledger", company.ledger)
    exports.write_table(folder / "tables", "quarantine_summary", exports.quarantine_summary(company.quarantine))
    exports.write_actions(folder / "exports" / "actions.csv", findings)
    exports.write_json(folder / "findings.json", findings)
    queries = dict(zip(known["queries"]["metric"], known["queries"]["query"], strict=True))
    write_pages(folder, company, reports, queries, sorted(absent), changed)


def _held(gates: list[Gate]) -> list[Gate]:
    problems = [f"{gate.name}: no, {problem}" for gate in gates for problem in gate.problems]
    if problems:
        raise _GatesShut("\n".join(problems[:20]))
    return gates


def _kept(folder: Path, out: Path, name: str, failure: run.NotebookFailed | _GatesShut) -> ReviewFailed:
    """The failure to raise, once what failed is kept apart: the notebook's copy, or the whole review that gates held back."""
    failed = isinstance(failure, run.NotebookFailed)
    files = [f"notebooks/{failure.notebook}.ipynb"] if failed else [path.name for path in folder.iterdir()]
    kept = keep_failed(folder, out, name, files, str(failure))
    return ReviewFailed(f"{failure}\nNot published; the last review is as it was. See {kept}")
