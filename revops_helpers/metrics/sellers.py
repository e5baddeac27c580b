"""Who sells, what each of them won month by month since they came, and what was asked of them. All lazy."""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from revops_helpers.methods.business_time import works_on
from revops_helpers.metrics.facts import closed_deals, closed_on, deals, zero
from revops_helpers.metrics.kept import kept
from revops_helpers.metrics.windows import Windows
from revops_helpers.model.company import Company
from revops_helpers.periods import Period, last_closed_month_end, month_start
from revops_helpers.settings import WorkingHours

SELLERS = ("users.hired_on", "users.left_on", "opportunities.owner_id", "opportunities.kind")
TENURED, ROLLING, FULL = (
    12,
    3,
    0.8,
)  # months after which a seller is tenured; months averaged; share of the tenured that is ramped
LONG_AGO = date(1970, 1, 1)
PERSON = ("user_id", "role", "team", "hired_on", "left_on")


def sellers(company: Company) -> ibis.Table:
    """One row per person who sells: user_id, team, hired_on (long ago where unknown), left_on.

    Those sell whose role is one in which at least half have owned a new-business deal; without roles, those who have owned one.
    """
    return kept(company, "sellers", lambda: _sellers(company))


def _sellers(company: Company) -> ibis.Table:
    users = company.table("users", PERSON)
    users = users.mutate(**{name: ibis.null("string") for name in ("role", "team") if name not in users.columns})
    rows = deals(company)
    owners = rows.filter(rows.kind == "new", rows.owner_id.notnull()).select(_owner=rows.owner_id).distinct()
    marked = users.left_join(owners, users.user_id == owners._owner)
    marked = marked.mutate(owns=marked._owner.notnull().cast("float64"))
    share = marked.owns.mean().over(ibis.window(group_by="role"))
    marked = marked.mutate(sells=ibis.ifelse(marked.role.isnull(), marked.owns, share))
    hired = marked.hired_on.fill_null(ibis.literal(LONG_AGO))
    return marked.filter(marked.sells >= 0.5).select("user_id", "team", "left_on", hired_on=hired)


def records_from(company: Company) -> date | None:
    """The first day of the month from which closed deals are on record; None when there is none."""
    agreed = company.settings.records_start.get("opportunities")
    first = company.table("opportunities", ("close_date",)).close_date.min().to_pyarrow().as_py()
    known = [month_start(day) for day in (agreed, first) if day is not None]
    return None if first is None else max(known)


def closed_months(company: Company) -> Windows | None:
    """The closed months on record, oldest first; None when there is none."""
    first, last = records_from(company), last_closed_month_end(company.as_of)
    return None if first is None or first > last else Windows.of(company.settings, Period(first, last), "month")


def seller_months(company: Company) -> ibis.Table:
    """One row per seller and closed month on record that they were there for in full.

    user_id, team, hired_on, left_on, month_end, tenure (calendar months since that of hiring), deals and arr (new business won,
    reporting cents), arr_arr (Σ amount²), and beside them the month's tenured sellers: peers, and peer_deals that they won.
    """
    return kept(company, "seller_months", lambda: _seller_months(company))


def _seller_months(company: Company) -> ibis.Table:
    months = closed_months(company) or Windows.of(company.settings, Period(LONG_AGO, LONG_AGO), "month")
    spans = months.days(first=[p.start for p in months.periods], last=[p.end for p in months.periods])
    rows = sellers(company).cross_join(spans)
    rows = rows.filter(rows.hired_on <= rows["first"], rows.left_on.isnull() | (rows.left_on >= rows["last"]))
    won = closed_deals(company, months)
    won = won.filter(won.status == "won", won.kind == "new")
    amount = won.amount.fill_null(0) if "amount" in won.columns else zero()
    won = won.mutate(worth=amount).group_by(_user="owner_id", _window="window")
    won = won.agg(deals=ibis._.count(), arr=ibis._.worth.sum(), arr_arr=(ibis._.worth.cast("float64") ** 2).sum())
    both = rows.left_join(won, [rows.user_id == won._user, rows.window == won._window])
    both = both.mutate(
        month_end=both["last"],
        tenure=_month(both["first"]) - _month(both.hired_on),
        **{name: both[name].fill_null(0) for name in ("deals", "arr", "arr_arr")},
    )
    tenured = (both.tenure >= TENURED).cast("int64")
    month = ibis.window(group_by="month_end")
    both = both.mutate(peers=tenured.sum().over(month), peer_deals=(tenured * both.deals).sum().over(month))
    return both.drop("_user", "_window", "window", "first", "last")


def _month(day: ibis.DateValue) -> ibis.IntegerValue:
    return (day.year() * 12 + day.month()).cast("int64")


def ramps(company: Company, windows: Windows) -> ibis.Table:
    """One row per window and seller hired since the records begin: months (full months until the first whose last three brought
    FULL of what the tenured brought in the same months, or until the window's or their own end) and ramped (they got there)."""
    rows = seller_months(company)
    rows = rows.filter(rows.hired_on >= ibis.literal(records_from(company) or company.as_of))
    three = ibis.window(group_by="user_id", order_by="tenure", preceding=ROLLING - 1, following=0)
    expected = ibis.ifelse(rows.peers > 0, rows.peer_deals / rows.peers, 0.0)
    rows = rows.mutate(own=rows.deals.sum().over(three), like=expected.sum().over(three), seen=rows.deals.count().over(three))
    rows = rows.mutate(full=(rows.seen == ROLLING) & (rows["like"] > 0) & (rows.own >= FULL * rows["like"]))
    ends = windows.days(end=[min(p.end, company.as_of) for p in windows.periods])
    rows = rows.join(ends, rows.month_end <= ends.end)
    each = rows.group_by("window", "user_id").agg(first=rows.tenure.min(where=rows.full), watched=rows.tenure.max())
    return each.mutate(months=ibis.coalesce(each["first"], each.watched), ramped=each["first"].notnull())


def quota_periods(company: Company, windows: Windows) -> ibis.Table:
    """One row per quota of new ARR whose period lies in a window: user_id, team, left_on, period_start, period_end, quota (cents,
    for the days of the period that the person was there) and credited (new business won in it). Nobody who was never there."""
    rows = windows.assign(quotas(company), "period_end")
    starts = windows.days(begin=[p.start for p in windows.periods])
    rows = rows.join(starts, "window").filter(ibis._.period_start >= ibis._.begin)
    held = deals(company)
    won = held.filter(held.status == "won", held.kind == "new")
    won = won.select(_owner="owner_id", _on=closed_on(won, windows), _amount=won.amount.fill_null(0))
    inside = [rows.user_id == won._owner, won._on >= rows.period_start, won._on <= rows.period_end]
    keys = ("window", "user_id", "team", "left_on", "period_start", "period_end", "quota")
    both = rows.left_join(won, inside).group_by(keys)
    return both.agg(credited=ibis._._amount.sum().fill_null(0))


def quotas(company: Company) -> ibis.Table:
    """One row per quota of new ARR: user_id, team, left_on, period_start, period_end, amount, and quota: its share for the days
    that the person was there. Quotas of another kind than new ARR (kind empty, or beginning with "new") are left out."""
    rows = company.table("quotas")
    if "kind" in rows.columns:
        rows = rows.filter(rows.kind.isnull() | rows.kind.lower().startswith("new"))
    own = [name for name in ("user_id", "hired_on", "left_on", "team") if name not in rows.columns or name == "user_id"]
    users = company.table("users", PERSON)
    users = users.select(_user="user_id", **{n: users[n] if n in users.columns else ibis.null("string") for n in own[1:]})
    both = rows.left_join(users, rows.user_id == users._user)
    first = ibis.greatest(both.period_start, both.hired_on.fill_null(ibis.literal(LONG_AGO)))
    last = ibis.least(both.period_end, both.left_on.fill_null(both.period_end))
    there = ibis.greatest(last.delta(first, unit="day") + 1, 0)
    days = both.period_end.delta(both.period_start, unit="day") + 1
    both = both.mutate(quota=(both.amount * there / days).round().cast("int64"))
    keep = ("user_id", "team", "left_on", "period_start", "period_end", "amount", "quota")
    return both.filter(both.quota > 0).select(*keep)


def deals_with_activities(company: Company, windows: Windows) -> ibis.Table:
    """closed_deals with `activities`: how many calls, e-mails, meetings and tasks of people, not of machines, belong to each."""
    rows = closed_deals(company, windows)
    done = _by_people(company, ("opportunity_id", "automated"))
    done = done.group_by(_deal="opportunity_id").agg(activities=ibis._.count())
    both = rows.left_join(done, rows.opportunity_id == done._deal)
    return both.mutate(activities=both.activities.fill_null(0)).drop("_deal")


def sellers_time(company: Company, windows: Windows) -> ibis.Table:
    """Minutes that sellers logged (`logged`), those with customers (`facing`), and the minutes they were at work (`working`), in
    rows of one seller and window each of which fills one side."""
    people = sellers(company)
    done = windows.assign(
        _by_people(company, ("user_id", "occurred_at", "minutes", "customer_facing", "automated")), "occurred_at"
    )
    done = done.semi_join(people, done.user_id == people.user_id)
    minutes = done.minutes.fill_null(0).cast("float64")
    facing = ibis.ifelse(done.customer_facing.fill_null(False), minutes, 0.0)
    ends = [min(p.end, company.as_of) for p in windows.periods]
    spans = windows.days(first=[p.start for p in windows.periods], last=ends)
    work = [_working_minutes(company.settings.working_hours, p.start, end) for p, end in zip(windows.periods, ends, strict=True)]
    there = people.cross_join(spans).join(windows.numbers(work=work), "window")
    first, last = ibis.greatest(there["first"], there.hired_on), ibis.least(there["last"], there.left_on.fill_null(there["last"]))
    days = ibis.greatest(last.delta(first, unit="day") + 1, 0)
    all_days = ibis.greatest(there["last"].delta(there["first"], unit="day") + 1, 1)
    none = ibis.literal(0.0)
    return ibis.union(
        done.select("window", "user_id", logged=minutes, facing=facing, working=none),
        there.select("window", "user_id", logged=none, facing=none, working=there.work * days / all_days),
    )


def _by_people(company: Company, columns: tuple[str, ...]) -> ibis.Table:
    rows = company.table("activities", columns)
    return rows.filter(~rows.automated.fill_null(False)) if "automated" in rows.columns else rows


def _working_minutes(hours: WorkingHours, first: date, last: date) -> float:
    """The minutes of a full-time person from first to last, holidays out."""
    clock = [int(text[:2]) * 60 + int(text[3:]) for text in (hours.start, hours.end)]
    days = sum(works_on(hours, first + timedelta(days=i)) for i in range((last - first).days + 1))
    return float(days * (clock[1] - clock[0]))
