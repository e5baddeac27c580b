"""Who works at the company and which companies it knows: users, accounts, campaigns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revops_helpers.sample import names
from revops_helpers.sample import world as w
from revops_helpers.sample.plan import Core

# Share of a tenured seller's won deals in each month after hiring; full from the sixth month on.
RAMP = np.array([0.0, 0.15, 0.35, 0.60, 0.80, 1.0])
SELLERS, SDRS, CSMS, MARKETERS = 15, 10, 9, 6
SANDBAGGER, OVER_PROMISER = 0, 1  # indexes of sellers
NEVER = 10**6
CAMPAIGN_CHANNELS = ("content", "webinar", "paid_search", "paid_social", "event", "email")
# Companies that stand twice, by what gives them away, and branches of one legal group.
COPY_WAYS = {"tax_id": 12, "domain": 16, "name": 12, "branch": 10}
SOURCE_CHANNEL = {"website": 0, "webinar": 1, "paid_search": 2, "paid_social": 3, "event": 4}


@dataclass
class People:
    """users as a canonical table, and what the simulator needs to know of them: row ranges per role, hired and left days."""

    table: pd.DataFrame
    rows: dict[str, np.ndarray]
    hired: np.ndarray
    left: np.ndarray

    def active(self, role: str, month: int) -> np.ndarray:
        """Rows of the role that are there for the whole month."""
        rows = self.rows[role]
        first, last = w.MONTH_STARTS[month], w.MONTH_STARTS[month + 1] - 1
        return rows[(self.hired[rows] <= first) & (self.left[rows] > last)]


def _seats(rng: np.random.Generator, seats: int) -> tuple[np.ndarray, np.ndarray]:
    """Hired and left days of everyone who ever sat in the seats: half of them are old, the others open over the years."""
    opening = np.concatenate([-rng.integers(200, 900, seats - seats // 2), np.linspace(60, 1500, seats // 2).astype(np.int64)])
    hired, left, start = [], [], opening
    for _ in range(5):
        end = start + rng.integers(420, 1500, seats)
        if not hired:
            end[:2] = NEVER  # two who stay all along
        hired.append(start)
        left.append(end)
        start = end + rng.integers(10, 50, seats)
    days, ends = np.concatenate(hired), np.concatenate(left)
    keep = days <= w.LAST_DAY - 30
    return days[keep], np.where(ends[keep] <= w.LAST_DAY, ends[keep], NEVER)


def simulate_people(streams: w.Streams, scale: float) -> People:
    """Sellers, SDRs and CSMs with hiring and attrition, and those who stay: managers, marketing, RevOps, finance."""
    rng = streams("people")
    hired, left, rows, roles, first = [], [], {}, [], 0
    for role, seats in (("seller", SELLERS), ("sdr", SDRS), ("csm", CSMS)):
        start, end = _seats(rng, max(3, round(seats * scale)))
        rows[role] = np.arange(first, first + len(start))
        hired.append(start)
        left.append(end)
        roles += [role] * len(start)
        first += len(start)
    for role, count in (("manager", 5), ("marketing", MARKETERS), ("revops", 2), ("finance", 2)):
        rows[role] = np.arange(first, first + count)
        hired.append(-np.arange(count) * 37 - 400)
        left.append(np.full(count, NEVER))
        roles += [role] * count
        first += count
    people = People(pd.DataFrame(), rows, np.concatenate(hired), np.concatenate(left))
    people.table = _users(rng, people, np.array(roles))
    return people


def _users(rng: np.random.Generator, people: People, roles: np.ndarray) -> pd.DataFrame:
    n = len(roles)
    user_id = w.salesforce_ids("005", n)
    name, mail = names.persons(rng, n)
    boss = {"seller": 0, "sdr": 2, "csm": 3, "marketing": 4, "revops": 4, "finance": 4, "manager": 4}
    manager = people.rows["manager"][np.array([boss[r] for r in roles])]
    sellers = people.rows["seller"]
    manager[sellers[sellers % 2 == 1]] = people.rows["manager"][1]
    manager[people.rows["manager"][4]] = -1
    team = {"seller": "Vendas", "sdr": "Pré-vendas", "csm": "Sucesso do Cliente", "manager": "Liderança"}
    team |= {"marketing": "Marketing", "revops": "RevOps", "finance": "Finanças"}
    return pd.DataFrame(
        {
            "user_id": user_id,
            "name": name,
            "email": w.join(mail, "@araucaria.example"),
            "role": pd.Series(roles).astype("str"),
            "team": pd.Series([team[r] for r in roles]).astype("str"),
            "manager_id": w.pick(user_id, manager),
            "region": w.label(w.REGIONS, np.arange(n) % 5).astype("str"),
            "hired_on": w.days(people.hired),
            "left_on": w.days(np.where(people.left < NEVER, people.left, 0), people.left < NEVER),
        }
    )


@dataclass
class Accounts:
    """accounts as a canonical table; of_deal: account row of each new-business deal; customers are the first rows.

    copies: way of the copy (COPY_WAYS) → original and copied account ids; they stand at the end of the table.
    """

    table: pd.DataFrame
    of_deal: np.ndarray
    copies: dict[str, list[tuple[str, str]]]


def simulate_accounts(streams: w.Streams, core: Core, people: People, scale: float) -> Accounts:
    """One account per customer, one per won deal never billed, and prospects that lost and open deals share."""
    rng, deal, customer = streams("accounts"), core.funnel.deal, core.book.customer
    n_deals, n_customers = len(deal["opened"]), len(customer["start"])
    of_deal = np.full(n_deals, -1)
    sold = customer["deal"] >= 0
    of_deal[customer["deal"][sold]] = np.flatnonzero(sold)
    alone = np.flatnonzero(deal["won"] & ~deal["billed"])
    of_deal[alone] = n_customers + np.arange(len(alone))
    shared = np.flatnonzero(of_deal < 0)
    shared = shared[np.argsort(rng.random(len(shared)), kind="stable")]
    recent = (deal["lead"][shared] >= 0).astype(np.int64)
    group = recent * 3 + deal["segment"][shared]
    shared = shared[np.argsort(group, kind="stable")]
    group = np.sort(group, kind="stable")
    rank = np.arange(len(group)) - np.searchsorted(group, group, side="left")
    pool = group * 10**7 + rank // np.where(group >= 3, 2, 3)
    of_deal[shared] = n_customers + len(alone) + np.unique(pool, return_inverse=True)[1]
    n = int(of_deal.max(initial=n_customers - 1)) + 1
    segment, created = np.zeros(n, dtype=np.int64), np.full(n, NEVER)
    segment[:n_customers], created[:n_customers] = customer["segment"], customer["start"] - 60
    segment[of_deal] = deal["segment"]
    np.minimum.at(created, of_deal, deal["opened"] // 86400 - rng.integers(0, 5, n_deals))
    created = np.minimum(created, w.LAST_DAY)
    table = _accounts_table(rng, core, people, segment, created)
    return Accounts(*_with_copies(streams("copied accounts"), table, of_deal, scale))


def _with_copies(rng: np.random.Generator, table: pd.DataFrame, of_deal: np.ndarray, scale: float):
    """Add companies that stand twice, each way in its own manner, and branches of one legal group, which are no copies."""
    local = np.flatnonzero(table["tax_id"].notna().to_numpy())
    counts = {way: max(1, round(count * scale)) for way, count in COPY_WAYS.items()}
    chosen = local[np.argsort(rng.random(len(local)), kind="stable")[: sum(counts.values())]]
    way = np.repeat(np.array(list(counts)), list(counts.values()))
    copy = table.iloc[chosen].reset_index(drop=True)
    copy["account_id"] = w.salesforce_ids("001", len(copy), first=len(table) + 1)
    copy["created_at"] = w.times(rng.integers(w.RECENT_DAY, w.LAST_DAY, len(copy)) * 86400 + w.business_clock(rng, len(copy)))
    _disguise(copy, way, chosen)
    original = table["account_id"].iloc[chosen].to_numpy()
    pairs = {kind: list(zip(original[way == kind], copy["account_id"][way == kind], strict=True)) for kind in counts}
    return pd.concat([table, copy], ignore_index=True), of_deal, pairs


def _disguise(copy: pd.DataFrame, way: np.ndarray, chosen: np.ndarray) -> None:
    """Only what its way leaves gives a copy away: the tax id, the domain, or the name; a branch has a tax id of its own."""
    plain = copy["name"].str.normalize("NFKD").str.encode("ascii", "ignore").str.decode("ascii")
    renamed = [plain.str.upper() + " LTDA", copy["name"] + " S.A.", copy["name"] + " Filial"]
    copy["name"] = pd.Series(np.select([way == "tax_id", way == "domain", way == "branch"], renamed, plain)).astype("str")
    lettered = copy["tax_id"].str.contains("[A-Z]").to_numpy(dtype=bool)
    bare = copy["tax_id"].str.replace(r"[./-]", "", regex=True)
    copy["tax_id"] = bare.where(way == "tax_id", names.cnpj(chosen, lettered, branch=2).where(way == "branch"))
    copy["domain"] = copy["domain"].where(way == "domain")


def _accounts_table(rng, core: Core, people: People, segment: np.ndarray, created: np.ndarray) -> pd.DataFrame:
    n = len(segment)
    industry = w.choose(rng, w.INDUSTRY_SHARES, n)
    name, domain = names.companies(industry, n)
    employees = np.array([12, 90, 600])[segment] * (0.6 + 1.4 * rng.random(n))
    usd = np.zeros(n, dtype=bool)
    usd[: len(core.book.customer["usd"])] = core.book.customer["usd"]
    active = people.active("seller", w.MONTHS - 1)
    return pd.DataFrame(
        {
            "account_id": w.salesforce_ids("001", n),
            "name": name,
            "domain": domain,
            "tax_id": names.cnpj(np.arange(n), created >= w.MONTH_STARTS[57]).mask(usd),
            "parent_id": pd.Series([None] * n, dtype="str"),
            "industry": w.label(w.INDUSTRIES, industry),
            "employees": employees.astype(np.int64),
            "country": w.label(("BR", "US"), usd.astype(np.int64)),
            "region": w.label(w.REGIONS, np.where(usd, -1, w.choose(rng, w.REGION_SHARES, n))),
            "segment": w.label(w.SEGMENTS, segment),
            "owner_id": w.pick(people.table["user_id"], active[rng.integers(0, len(active), n)]),
            "created_at": w.times(created * 86400 + w.business_clock(rng, n)),
            "currency": w.label(("BRL", "USD"), usd.astype(np.int64)),
        }
    )


def simulate_campaigns(people: People) -> pd.DataFrame:
    """One campaign per channel and quarter of the last 24 months."""
    channel = np.repeat(np.arange(6), 8)
    quarter = np.tile(np.arange(8), 6)
    start = w.MONTH_STARTS[w.RECENT_MONTH + quarter * 3]
    end = w.MONTH_STARTS[w.RECENT_MONTH + quarter * 3 + 3] - 1
    label = [
        f"{CAMPAIGN_CHANNELS[c]} {w.MONTH_YEAR[w.RECENT_MONTH + q * 3]}-T{(q + 3) % 4 + 1}"
        for c, q in zip(channel, quarter, strict=True)
    ]
    marketers = people.rows["marketing"]
    return pd.DataFrame(
        {
            "campaign_id": w.salesforce_ids("701", 48),
            "name": pd.Series(label).astype("str"),
            "channel": w.label(CAMPAIGN_CHANNELS, channel),
            "kind": w.label(("inbound", "evento", "mídia"), np.array([0, 1, 2, 2, 1, 0])[channel]),
            "segment": w.label(w.SEGMENTS, np.where(channel == 4, 2, np.where(channel == 1, 1, -1))),
            "owner_id": w.pick(people.table["user_id"], marketers[channel % len(marketers)]),
            "starts_on": w.days(start),
            "ends_on": w.days(end),
            "budget": np.array([60, 45, 180, 140, 220, 20])[channel] * 100_000,
            "status": w.label(("concluída", "ativa"), (quarter == 7).astype(np.int64)),
        }
    )


def campaign_of(source: np.ndarray, month: np.ndarray) -> np.ndarray:
    """Campaign row of a lead by its source and month; -1 where the source has none."""
    channel = np.array([SOURCE_CHANNEL.get(name, -1) for name in w.SOURCES])[source]
    return np.where(channel >= 0, channel * 8 + (month - w.RECENT_MONTH) // 3, -1)


def assign(rng: np.random.Generator, people: People, role: str, month: np.ndarray, ramp: bool = False) -> np.ndarray:
    """A person of the role for every record, among those there in its month; new sellers get less while they ramp up."""
    result = np.full(len(month), -1)
    order = np.argsort(month, kind="stable")
    edges = np.searchsorted(month[order], np.arange(w.MONTHS + 1))
    draws = rng.random(len(month))
    for m in range(w.MONTHS):
        rows = order[edges[m] : edges[m + 1]]
        there = people.active(role, m)
        tenure = np.maximum(m - w.month_of(np.maximum(people.hired[there], 0)), 0) + np.where(people.hired[there] < 0, 12, 0)
        weight = RAMP[np.minimum(tenure, len(RAMP) - 1)] if ramp else np.ones(len(there))
        cut = np.cumsum(weight / weight.sum())[:-1]
        result[rows] = there[np.searchsorted(cut, draws[rows], side="right")]
    return result
