"""A model's passport in words: what it was shown, how it did on months it had not seen, and whether it may be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from revops_helpers.intelligence.passport import REASONS
from revops_helpers.measurement import Measurement
from revops_helpers.words import figures, parts
from revops_helpers.words.language import (
    N_,
    Text,
    _,
    count,
    listing,
    month,
    n_,
    number,
    percent,
    sentences,
    value_of,
    with_interval,
)
from revops_helpers.words.parts import Part

if TYPE_CHECKING:
    from revops_helpers.intelligence.passport import Passport

DRIFTED = 0.25  # a feature whose PSI is above has moved; the usual rule of thumb
PURPOSE: Mapping[str, str] = {
    "churned": N_("Rank customers by the chance that they leave within {months} months, so that people know whom to call first"),
    "expanded": N_("Rank customers by the chance that they buy more within {months} months, asked or not"),
}
ABOUT: Mapping[str, str] = {"churned": N_("who leaves"), "expanded": N_("who buys more")}
RIVALS: Mapping[str, str] = {"tenure": N_("Tenure alone"), "health": N_("Health score alone")}
FEATURES: Mapping[str, str] = {
    "first_year": N_("All months ahead in the first year, against none"),
    "low_usage": N_("Under half of the seats in use"),
    "incomplete_handoff": N_("Handoff under three quarters done"),
    "seats_full": N_("Over 85% of seats used in better weeks"),
    "usage_change": N_("Seats in use against 12 weeks before, per 10 pp"),
    "tickets": N_("Tickets in 90 days, each"),
    "overdue": N_("Invoices overdue in 180 days, each"),
    "arr": N_("ARR, each doubling"),
    "tenure": N_("Months as a customer, each doubling"),
    "health": N_("Health score, per 10 points"),
}
GROUPS: Mapping[str, str] = {"segment": N_("Segment {member}"), "product": N_("Product {member}")}


def feature_name(name: str) -> Text:
    """What a feature is called, with the step that its odds ratio is for."""
    group, _equals, member = name.partition("=")
    return _(GROUPS[group], member=member) if group in GROUPS else _(FEATURES[name])


def verdict(passport: Passport) -> Text:
    """Use, or do not use and why."""
    if passport.use:
        return _("**Use**, to decide whom to look at first. A person decides what follows.")
    why = listing([_(REASONS[name]) for name in passport.reasons])
    return _("**Do not use:** {why}.", why=why)


def passport_section(passport: Passport) -> Part:
    """Verdict, passport, and the test against what is simpler; no scores where the verdict is against it."""
    said = [parts.reading(verdict(passport)) if passport.use else parts.warning(verdict(passport))]
    facts = parts.points(_("Passport of the model of {about}", about=_(ABOUT[passport.outcome])), _facts(passport))
    if passport.auc.value is None:
        return parts.stack(*said, facts, parts.limit(_few(passport)))
    shown = [_rivals(passport), *said, parts.limit(sentences(_beyond(passport), _level(passport)))]
    drawn = parts.beside(*shown)
    if not passport.use:
        return parts.stack(drawn, facts)
    return parts.stack(drawn, parts.beside(facts, _features(passport)))


def _facts(passport: Passport) -> list[Text]:
    rows = [(_("Purpose"), _(PURPOSE[passport.outcome], months=count(passport.horizon)))]
    spans = ((passport.trained, "train", _("Trained on")), (passport.tested, "test", _("Tested on later months")))
    for span, part, name in spans:
        if span is not None:
            seen = passport.seen.loc[part]
            words = {"first": month(span[0]), "last": month(span[1]), "customers": count(seen.customers)}
            events = n_("{n} event", "{n} events", int(seen.events))
            rows.append((name, _("{first} to {last}: {customers} customers, {events}", events=events, **words)))
    if passport.auc.value is not None:
        rows += [
            (_("Ranks rightly (AUC)"), with_interval(passport.auc)),
            (_("Calibration slope, best is 1"), with_interval(passport.slope)),
            (_("Events per event predicted"), with_interval(passport.in_the_large)),
            (_("Events in the tenth with the highest chances (chance: 10%)"), with_interval(passport.captured)),
        ]
    return [_("**{name}:** {fact}", name=name, fact=fact) for name, fact in rows]


def _few(passport: Passport) -> Text:
    if passport.needed != passport.needed:
        return _("Limit: a model is neither fitted nor shown without enough months and events to learn from and be tested on.")
    had = count(int(passport.seen.events["train"]))
    return _("Limit: {had} events to learn from; three features need about {needed}.", had=had, needed=count(passport.needed))


def _rivals(passport: Passport) -> Part:
    """The model beside what is simpler, on the same months."""
    items = [(_("This model"), passport.auc)]
    items += [
        (_(RIVALS[r.name]), Measurement(r.auc, n=int(r.n), low=r.low, high=r.high)) for r in passport.baselines.itertuples()
    ]
    alt = listing([_("{name} {auc}", name=name, auc=with_interval(auc)) for name, auc in items])
    title = _("The model ranks {auc} of pairs rightly on months it had not seen", auc=percent(passport.auc.value, 0))
    note = _("AUC: of two customers, one with the event, how often that one scores higher; 0.5 is chance. 95% intervals.")
    return parts.picture(figures.bars(items, reference=0.5), title, note, alt)


def _beyond(passport: Passport) -> Text:
    """Whether it beats what is simpler beyond chance."""
    said = []
    for rival in passport.baselines.itertuples():
        words = {"rival": _(RIVALS[rival.name]), "gain": with_interval(_gain(rival))}
        if rival.gain_low > 0:
            said.append(_("{rival} ranks worse by {gain}.", **words))
        else:
            said.append(_("{rival} ranks worse by {gain}, which could be chance.", **words))
    return sentences(_("Limit:"), *said) if said else Text("")


def _gain(rival) -> Measurement:
    return Measurement(rival.gain, n=int(rival.n), low=rival.gain_low, high=rival.gain_high)


def _level(passport: Passport) -> Text:
    level = passport.in_the_large
    if level.value is None or not level.clear_of(1):
        return _("As many events came as were predicted, within chance.")
    return _(
        "{times} as many events came as were predicted: times have changed, so the level of all chances is set anew.",
        times=value_of(level),
    )


def _features(passport: Passport) -> Part:
    """Odds ratio of every feature, and whether customers still look like those learned from."""
    rows = [
        (
            feature_name(row.feature),
            Measurement(row.odds, n=int(passport.seen.customers["train"]), low=row.low, high=row.high, unit="ratio"),
            percent(row.known, 0),
            number(row.psi, 2) if row.psi == row.psi else _("n/a"),
        )
        for row in passport.features.itertuples()
    ]
    heads = [_("Feature"), _("Odds"), _("On record"), _("Drift (PSI)")]
    grid = parts.table(heads, rows, name=_("What the model of {about} weighs", about=_(ABOUT[passport.outcome])))
    moved = [feature_name(row.feature) for row in passport.features.itertuples() if row.psi > DRIFTED]
    note = _("Odds: how they change with the feature, all else equal; drawn towards 1 where the data say little.")
    if moved:
        note = sentences(note, _("Moved since (PSI above 0.25): {features}.", features=listing(moved)))
    if passport.left_out:
        left = listing([feature_name(name) for name in passport.left_out])
        note = sentences(note, _("Left out, because the events are too few for more: {features}.", features=left))
    return parts.stack(grid, parts.note(note))


def reason(name: str, row: Mapping[str, object]) -> Text:
    """A feature as what is known of one customer."""
    group, _equals, member = name.partition("=")
    if group in GROUPS:
        return _(GROUPS[group], member=member)
    return _KNOWN[name](row)


_KNOWN = {
    "low_usage": lambda r: _("uses {share} of its seats", share=percent(r["usage"], 0)),
    "incomplete_handoff": lambda r: _("handoff {share} done", share=percent(r["handoff"], 0)),
    "seats_full": lambda r: _("used {share} of its seats in better weeks", share=percent(r["usage_best"], 0)),
    "usage_change": lambda r: _("use went from {before} to {now} of seats", before=percent(r["usage_before"], 0),
                                now=percent(r["usage"], 0)),
    "tickets": lambda r: n_("{n} ticket in 90 days", "{n} tickets in 90 days", int(r["tickets"])),
    "overdue": lambda r: n_("{n} overdue invoice", "{n} overdue invoices", int(r["overdue"])),
    "arr": lambda r: _("its size"),
    "tenure": lambda r: n_("{n} month as a customer", "{n} months as a customer", int(r["tenure"])),
    "health": lambda r: _("health score {score}", score=number(r["health"])),
    "first_year": lambda r: _("past its first year"),
}  # fmt: skip
