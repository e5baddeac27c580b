"""Why a number is not ok: the only sentences that the metric layer gives as a reason, as templates that can be translated."""

from __future__ import annotations

import re


def N_(message: str) -> str:
    """Mark a message for translation."""
    return message


TOO_FEW = N_("fewer than 20 events")
UNWATCHED = N_("too few were on record early on")
ZERO = N_("the denominator is zero")
TARGET_MET = N_("target already met")
NOTHING_SPENT = N_("nothing was spent")
NOT_GROWING = N_("ARR did not grow")
NOT_BURNING = N_("no cash was burnt")
NO_MARGIN = N_("never: no margin is earned")
NEVER_BACK = N_("never: too many leave before it is paid back")
NOT_REACHED = N_("fewer than half have got there; the value is a lower bound")
NOT_SO_MANY = N_("fewer than {share} have got there; the value is a lower bound")
NOT_OVER = N_("the period is not over")
NOT_BEGUN = N_("the period has not begun")
BEFORE_RECORDS = N_("records begin on {day}, after the period does")
NO_RECORDS = N_("records begin on {day}, after the period")
NOT_ARRIVED = N_("{table} of {month} has not arrived")
COMPLETE_ON = N_("complete on {day}")
NOTHING_WON = N_("nothing was won")
ALL_ALIKE = N_("what came was the same each time")
NO_REPEAT = N_("nothing differs from the year before, or nothing is on record of it")
NO_BUDGET = N_("no campaign budget for the period")
NO_REQUESTS = N_("no work item is a request")
NO_TARGET = N_("no target for the period")
NO_PAST = N_("no record of how it was then")
NOT_CHECKED = N_("no record was put to such a check")
NOT_BY = N_("not measured by {dimension}")
NEEDS = N_("needs {what}")
NO_LOSSES = N_("no lost deal on record")
NO_VALUE_LOST = N_("no lost deal has an amount")
FEW_AMOUNTS_WON = N_("most won deals have no amount")
NO_OPEN_AMOUNTS = N_("no open deal has an amount")
PART_MISSING = N_("{metric} is not known: {why}")

REASONS = (
    TOO_FEW,
    UNWATCHED,
    ZERO,
    TARGET_MET,
    NOTHING_SPENT,
    NOT_GROWING,
    NOT_BURNING,
    NO_MARGIN,
    NEVER_BACK,
    NOT_REACHED,
    NOT_SO_MANY,
    NOT_OVER,
    NOT_BEGUN,
    BEFORE_RECORDS,
    NO_RECORDS,
    NOT_ARRIVED,
    COMPLETE_ON,
    NOTHING_WON,
    NO_REPEAT,
    ALL_ALIKE,
    NO_BUDGET,
    NO_REQUESTS,
    NO_TARGET,
    NO_PAST,
    NOT_CHECKED,
    NOT_BY,
    NEEDS,
    NO_LOSSES,
    NO_VALUE_LOST,
    FEW_AMOUNTS_WON,
    NO_OPEN_AMOUNTS,
    PART_MISSING,
)


def template_of(reason: str) -> tuple[str, dict[str, str]]:
    """The template of a reason and what fills it, so that words can say it in another language; an unknown text is its own."""
    for template in REASONS:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template))
        if found := re.fullmatch(pattern, reason):
            return template, found.groupdict()
    return reason, {}
