"""One role's page: a sentence, its numbers, pictures, what it acts on and works through. All of it in notebooks/roles.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from revops_helpers.finding import Finding, ranked
from revops_helpers.measurement import Measurement
from revops_helpers.metrics.measure import catalogue, measure
from revops_helpers.model.company import Company
from revops_helpers.planning.quotas import quota_of
from revops_helpers.settings import InputError, nearest
from revops_helpers.words import actions, parts
from revops_helpers.words.language import N_, _, label, span
from revops_helpers.words.names import person
from revops_helpers.words.parts import Part, ScoreRow
from revops_helpers.words.phase import is_there, owner_of, score_rows, score_title
from revops_helpers.words.readiness import GATES
from revops_helpers.words.roles import Role
from revops_helpers.words.views import view

QUOTA_OF = "new_arr_won"  # the number that a person's quota asks for
ACTIONS = 3  # findings on a page of one sheet; one fewer beside a list
SHORT: Mapping[str, str] = {
    "deals": N_("Deals"),
    "team": N_("Team"),
    "sources": N_("Sources"),
    "movements": N_("Movements"),
    "renewals": N_("Renewals"),
    "arr_tie": N_("Finance’s ARR"),
    "checks": N_("Checks"),
    "records": N_("Records"),
    "refused": N_("Refused rows"),
}
# The head of a list whose sentence heads the page already.
FIRST: Mapping[str, str] = {
    "deals": N_("The deals that stand still, largest first"),
    "renewals": N_("The customers that renew, those that use little first"),
}


def numbers(company: Company, role: Role, member: str = "") -> list[ScoreRow]:
    """The role's numbers, in its order: of the whole, or of one of its people. InputError for somebody with no record."""
    if member and not role.by:
        raise InputError(f"the page of {role.name} is not about one person: leave member empty")
    if member and member not in (known := _people(company, role)):
        raise InputError(f"'{member}' has no record here: {nearest(member, known)}")
    wanted = [name for name in role.numbers if name in catalogue()]
    rows = _gates(company) if any(name in GATES for name in role.numbers if name not in wanted) else {}
    rows |= {row.metric: row for row in score_rows(company, wanted, by=(role.by or "") if member else "", member=member)}
    if member and QUOTA_OF in rows:
        rows[QUOTA_OF] = replace(rows[QUOTA_OF], target=quota_of(company, member))
    return [rows[name] for name in role.numbers if name in rows]


def _people(company: Company, role: Role) -> list[str]:
    return sorted(set(measure(company, [*role.numbers], by=role.by or "").member) - {""})


def _gates(company: Company) -> dict[str, ScoreRow]:
    """The checks of the roadmap as numbers, each with the threshold that opens it as target."""
    from revops_helpers.foundation.readiness import readiness

    better = {"at_least": "higher", "at_most": "lower"}
    return {
        gate.id: ScoreRow(
            metric=gate.id,
            value=gate.value,
            target=Measurement(gate.threshold, unit=gate.value.unit),
            direction=better[gate.sense],
            name=_(GATES[gate.id]),
        )
        for gate in company.ask(readiness).gates
    }


def head(company: Company, role: Role, rows: list[ScoreRow], member: str = "") -> Part:
    """The sentence of the role's main view; under it how many of its numbers miss their target."""
    title = view(company, role.headline, member).title
    judged = score_title(rows)
    kicker = _("Dashboard · {role} · {period}", role=_(role.name), period=span(company.period))
    if member:
        kicker = _("{kicker} · {member}", kicker=kicker, member=person(company, member))
    return parts.header(kicker, title or judged, _("{sentence}.", sentence=judged) if title else "")


def tiles(rows: list[ScoreRow]) -> Part:
    """The role's numbers, each with a link to what it means."""
    return parts.tiles(rows, {row.metric: "01_foundation_audit.html#scorecard" for row in rows if row.metric in GATES})


def pictures(company: Company, role: Role, member: str = "") -> Part:
    """One picture with its readings, or two in one row."""
    shown = [view(company, name, member, role.by or "").part for name in role.pictures]
    return parts.pair(*shown) if len(shown) == 2 else shown[0]


def acts(company: Company, role: Role) -> Part:
    """The findings that the role may act on, the most money first, and what acting on them is worth together."""
    from revops_helpers.optimization.target_gap import gap_to_plan, joint_value
    from revops_helpers.words.executive import actions_title

    top = _findings(company, role)
    gap = company.ask(gap_to_plan) if any(finding.levers for finding in top) else None
    joint = joint_value(gap, top) if is_there(gap) else None
    title = parts.section(actions_title(top, joint), anchor="findings", short=_("Actions"))
    return parts.stack(title, parts.findings_table(top, joint, short="instead"))


def _findings(company: Company, role: Role) -> list[Finding]:
    owners = {owner_of(company, function) for function in role.acts_for}
    found = actions.all_findings(company, role.findings)
    mine = [finding for finding in found if not owners or finding.owner in owners]
    return ranked(mine)[: ACTIONS - bool(role.lists)]


def lists(company: Company, role: Role, member: str = "") -> list[Part]:
    """What the role works through, each list under the sentence that it comes to; first the findings that it may act on."""
    shown = [acts(company, role)] if role.findings else []
    for name in role.lists:
        found = view(company, name, member)
        short = _(SHORT[name]) if name in SHORT else label(name.partition(" ")[0])
        title = found.title if found.title and name != role.headline else _(FIRST.get(name, "")) or short
        shown.append(parts.stack(parts.section(title, anchor=name.replace(" ", "-"), short=short), found.part))
    return shown


def definitions(role: Role) -> Part:
    """What each number of the page means, folded."""
    wanted = [name for name in role.numbers if name in catalogue()]
    return parts.details(_("Definitions"), parts.definitions(None, wanted, queries=False))
