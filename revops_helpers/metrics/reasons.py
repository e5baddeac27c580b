"""Why a number is not ok: the only sentences that the metric layer gives as a reason, as templates that can be translated."""

from __future__ import annotations

import re


def N_(message: str) -> str:
    """Mark a message for translation."""
    return message


TOO_FEW = N_("fewer than 20 events")
UNWATCHED = N_("too few were on record early on")
NOBODY_SO_OLD = N_("nobody was watched at an age of {months} months; the curve is carried on from there")
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
NO_FOREIGN = N_("nothing recurs in a foreign currency")
NO_PAST = N_("no record of how it was then")
NOT_CHECKED = N_("no record was put to such a check")
# What a denominator of zero means.
NONE_THEN = N_("no customer a year before")
NO_OPENING_ARR = N_("no ARR at the start of the fiscal year")
NO_CUSTOMERS = N_("no customer")
NOTHING_LOST = N_("no MRR was lost")
NO_NEW_CUSTOMERS = N_("no new customer")
NO_NEW_ARR = N_("no new ARR")
NO_ADDED_ARR = N_("no new ARR and no expansion")
NO_EXPANSION = N_("no expansion")
NO_REVENUE = N_("no revenue")
NO_LEADS = N_("no lead was created")
TOO_YOUNG = N_("none is old enough to tell")
NO_MQLS = N_("no lead was qualified by marketing")
NO_SALS = N_("no lead was accepted by sales")
NO_SQLS = N_("no lead was qualified by sales")
NOTHING_OPENED = N_("no deal was opened")
NOTHING_DECIDED = N_("no deal was won or lost")
NO_TIME_OVER = N_("no lead was contacted, and no lead's time is over")
NOTHING_WAS_DUE = N_("no due date has passed")
NO_REQUEST_DUE = N_("no request is done or overdue")
NO_QUOTA = N_("no quota for the period")
NOTHING_LOGGED = N_("no minutes were logged")
NOBODY_AT_WORK = N_("no seller was at work")
NO_HANDOFF_DUE = N_("no handoff's days are over")
NOTHING_REQUIRED = N_("no item was required")
NOBODY_ANSWERED = N_("nobody answered")
NO_BAND = N_("no customer has a health band")
NO_DEAL_DUE = N_("no open deal was due")
NO_RANGE = N_("no forecast has both commit and best")
NO_SEATS_PAID = N_("no seat is paid for")
NO_SEATS_USED = N_("no seat is in use")
TOOLS_ARE_FREE = N_("the tools cost nothing")
NO_RUN_FINISHED = N_("no run is finished")
NO_START = N_("no customer began")
NOT_BY = N_("not measured by {dimension}")
UNLINKED = N_("most leads have no {dimension} until they are deals")
NEEDS = N_("needs {what}")
NO_LOSSES = N_("no lost deal on record")
NO_VALUE_LOST = N_("no lost deal has an amount")
FEW_AMOUNTS_WON = N_("most won deals have no amount")
NO_OPEN_AMOUNTS = N_("no open deal has an amount")
PART_MISSING = N_("{metric} is not known: {why}")

REASONS = (
    TOO_FEW,
    UNWATCHED,
    NOBODY_SO_OLD,
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
    NO_FOREIGN,
    NO_PAST,
    NOT_CHECKED,
    NONE_THEN,
    NO_OPENING_ARR,
    NO_CUSTOMERS,
    NOTHING_LOST,
    NO_NEW_CUSTOMERS,
    NO_NEW_ARR,
    NO_ADDED_ARR,
    NO_EXPANSION,
    NO_REVENUE,
    NO_LEADS,
    TOO_YOUNG,
    NO_MQLS,
    NO_SALS,
    NO_SQLS,
    NOTHING_OPENED,
    NOTHING_DECIDED,
    NO_TIME_OVER,
    NOTHING_WAS_DUE,
    NO_REQUEST_DUE,
    NO_QUOTA,
    NOTHING_LOGGED,
    NOBODY_AT_WORK,
    NO_HANDOFF_DUE,
    NOTHING_REQUIRED,
    NOBODY_ANSWERED,
    NO_BAND,
    NO_DEAL_DUE,
    NO_RANGE,
    NO_SEATS_PAID,
    NO_SEATS_USED,
    TOOLS_ARE_FREE,
    NO_RUN_FINISHED,
    NO_START,
    NOT_BY,
    UNLINKED,
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
