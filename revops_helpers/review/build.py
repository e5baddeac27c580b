"""One review, from a folder of exports to a published folder of pages: `review(Request(...))`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from revops_helpers.backends.serving import shared
from revops_helpers.ingest import READ
from revops_helpers.metrics.changes import Reviewed
from revops_helpers.model.company import Company
from revops_helpers.model.freshness import freshness
from revops_helpers.review import bi, compare, exports, measured, run
from revops_helpers.review.collect import Report, all_findings, report, reproducible, role_of
from revops_helpers.review.fixes import write_fixes
from revops_helpers.review.gates import MANIFEST, Gate, check
from revops_helpers.review.kernels import Kernels, kernels
from revops_helpers.review.manifest import data_name, inputs_of, manifest, now
from revops_helpers.review.parameters import Parameter, checked
from revops_helpers.review.progress import Progress
from revops_helpers.review.publish import building, keep_failed, name_of, prepared, publish
from revops_helpers.review.request import ROLES, STANDARD, Request, declared_by, given, sources, told_more
from revops_helpers.review.site import write_pages
from revops_helpers.settings import InputError, read_settings
from revops_helpers.warehouse import engine_of
from revops_helpers.words.below import translated
from revops_helpers.words.language import Text, _, translate_markdown, use
from revops_helpers.words.markup import Part, plain
from revops_helpers.words.messages import DOMAIN, FOLDER
from revops_helpers.workspace import folder_of, open_company

METRICS = "table of metrics"
ALL_METRICS_SECONDS = 4 * run.CELL_SECONDS  # one cell measures everything; an engine that plans each query takes seconds a query


class ReviewFailed(Exception):
    """The review was not published. The text says what failed and where its copy is; the command exits 1."""


class _GatesShut(Exception):
    """Gates that did not hold, one problem a line."""


@dataclass(frozen=True)
class _Plan:
    """What a run builds its pages from, in whichever language; before: language → the review that it is compared with."""

    request: Request
    given: Mapping[str, Any]
    sources: Mapping[str, nbformat.NotebookNode]
    parameters: Mapping[str, Mapping[str, Parameter]]
    name: str
    before: Mapping[str, Reviewed | Part | None]
    held: Kernels
    progress: Progress


@dataclass(frozen=True)
class _Edition:
    """The review in one language: where it was built, and what the gates and the manifest are to know of it."""

    folder: Path
    reports: list[Report]
    metrics: pd.DataFrame
    made_of: dict[str, Any]


def review(request: Request, progress: Progress | None = None, starting: Kernels | None = None) -> Path:
    """Run the notebooks on a company's data and publish the review. Returns its folder.

    starting: kernels that are held already, while the caller was still importing this module.
    InputError when the input needs a hand: nothing has run and nothing is written. ReviewFailed when a notebook or a gate
    failed: the last published review is as it was, and the copy of what failed is under `.failed/`.
    """
    if request.hyper:
        bi.check_hyper()
    started, clock = now(), time.monotonic()
    asked, notebooks = given(request), sources(request)
    parameters = {name: declared_by(source, name) for name, source in notebooks.items()}
    checked(parameters, asked)
    prepared(request.out)
    measuring = engine_of(None, read_settings(folder_of(request.data) / "company.yml"))
    with nullcontext(starting) if starting else kernels() as held, shared(measuring) as environment:
        held.environment |= environment
        company = _opened(request, asked)
        held.environment[READ] = company.fingerprint
        _new_enough(company, request.allow_stale)
        name = name_of(company.as_of, told_more(request))
        spoken = tuple(dict.fromkeys((company.settings.locale, *request.also)))
        earlier = partial(compare.earlier, request.compare, request.out, name, company.settings.name)
        before = {language: earlier(language if place else "") for place, language in enumerate(spoken)}
        plan = _Plan(request, asked, notebooks, parameters, name, before, held, progress or Progress())
        opened = time.monotonic() - clock
        with building(request.out, name) as folder:
            try:
                editions = _editions(plan, folder, company)
                gates = _held(check(folder, company, [one for each in editions for one in each.reports], editions[0].metrics))
            except (run.NotebookFailed, _GatesShut) as failure:
                raise _kept(folder, request.out, name, failure) from None
            for edition in editions:
                seconds = {
                    "open": opened,
                    **{one.name: one.seconds for one in edition.reports},
                    "whole": time.monotonic() - clock,
                }
                spent = {step: round(lasted, 3) for step, lasted in seconds.items()}
                ran = {"started_at": started, "engine": company.shelf.engine, "seconds": spent}
                held_gates = {"gates": [gate.record() for gate in gates], "run": ran}
                exports.write_json(edition.folder / MANIFEST, edition.made_of | held_gates)
            return publish(folder, request.out, name)


def _editions(plan: _Plan, folder: Path, company: Company) -> list[_Edition]:
    """The review in its own language, and beside its files, in a folder each, in the others that were asked for."""
    editions = [_edition(plan, folder, company)]
    if plan.request.hyper:
        bi.write_hyper(folder / "exports" / "metrics.hyper", editions[0].metrics)
    for language in list(plan.before)[1:]:
        (folder / language).mkdir()
        editions.append(_edition(plan, folder / language, _speaking(company, language)))
    return editions


def _edition(plan: _Plan, folder: Path, company: Company) -> _Edition:
    """The review in the language of `company`, built in a folder."""
    request, exported, language = plan.request, folder_of(plan.request.data), company.settings.locale
    told = checked(plan.parameters, plan.given | {"as_of": company.as_of, "language": language})
    told = {name: told[name] | ({"role": role} if (role := role_of(name)) else {}) for name in told}
    shown = {job: parameters | {"data": data_name(exported)} for job, parameters in told.items()}
    before, spoken = plan.before[language], list(plan.before)
    made_of = manifest(company, inputs_of(exported, company), shown, compare.identity(before), spoken)
    reports, known = _run(_jobs(plan.sources, told), folder, plan.held, request.jobs, plan.progress, shown, company)
    changed = compare.changes_part(before, compare.reviewed(plan.name, made_of, known["table"], all_findings(reports)))
    absent = set(run.find(request.folder or run.NOTEBOOKS)) - {ROLES} - set(plan.sources)
    _write(folder, company, reports, known, absent, changed, spoken)
    write_fixes(folder / "exports", exported, company.settings, known["fixes"])
    exports.write_json(folder / MANIFEST, made_of)  # so that the gates look at it too
    return _Edition(folder, reports, known["table"], made_of)


def _opened(request: Request, given: Mapping[str, Any]) -> Company:
    """The company, ingested once, in the language of the review."""
    standard = {name: given[name] for name in STANDARD if name != "data"}
    company = open_company(given["data"], **standard | {"period": request.period, "show_people": request.show_people})
    return _speaking(company, request.language or company.settings.locale)


def _speaking(company: Company, language: str) -> Company:
    """The same data in a language, which is in use from now on; nothing that was said in another is kept."""
    use(language)
    notes = company.notes
    if language != "en" and not (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo").exists():
        notes = (*notes, _("Words are in English: there is no catalogue for {language} yet.", language=language))
    return replace(company, settings=company.settings.model_copy(update={"locale": language}), notes=notes, _made={})


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
    spoken: list[str],
) -> None:
    """The pages, tables, exports and findings of a review."""
    findings = all_findings(reports)
    for name in ("tables", "exports"):
        (folder / name).mkdir()
    exports.write_table(folder / "tables", "metrics", known["table"])
    exports.write_table(folder / "tables", "ledger", company.ledger)
    exports.write_table(folder / "tables", "quarantine_summary", exports.quarantine_summary(company.quarantine))
    exports.write_table(folder / "tables", "quarantine", exports.quarantine_rows(company.quarantine))
    exports.write_actions(folder / "exports" / "actions.csv", findings)
    exports.write_json(folder / "findings.json", findings)
    queries = dict(zip(known["queries"]["metric"], known["queries"]["query"], strict=True))
    write_pages(folder, company, reports, queries, sorted(absent), changed, spoken)


def _held(gates: list[Gate]) -> list[Gate]:
    problems = [f"{gate.name}: no, {problem}" for gate in gates for problem in gate.problems]
    if problems:
        raise _GatesShut("\n".join(problems[:20]))
    return gates


def _kept(folder: Path, out: Path, name: str, failure: run.NotebookFailed | _GatesShut) -> ReviewFailed:
    """The failure to raise, once what failed is kept apart: the notebook's copy, or the whole review that gates held back."""
    failed = isinstance(failure, run.NotebookFailed)
    copies = sorted(folder.rglob(f"notebooks/{failure.notebook}.ipynb")) if failed else sorted(folder.iterdir())
    files = [str(copy.relative_to(folder)) for copy in copies]
    kept = keep_failed(folder, out, name, files, str(failure))
    return ReviewFailed(f"{failure}\nNot published; the last review is as it was. See {kept}")
