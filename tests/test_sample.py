"""The sample company: the same from the same seed, whole, and with the truth in it that is said to be planted."""

from __future__ import annotations

import ast
import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_helpers.model.tables import TABLES
from revops_helpers.sample import names, plan
from revops_helpers.sample import world as w
from revops_helpers.sample.simulation import MAKERS, Simulation, World, simulate
from revops_helpers.sample.truth import truth_of
from revops_helpers.sample.write import write_sample

HOME = Path(__file__).parent.parent
SAMPLE = HOME / "data" / "sample"


@pytest.fixture(scope="module")
def sample() -> Simulation:
    return simulate()


@pytest.fixture(scope="module")
def world() -> World:
    return World(w.SEED, 1.0)


# ---- the committed files


def content(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()


def test_the_committed_sample_is_what_its_seed_gives(tmp_path):
    write_sample(tmp_path)
    written = {file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()}
    assert written == {file.relative_to(SAMPLE) for file in SAMPLE.rglob("*") if file.is_file()}
    assert [str(name) for name in sorted(written) if content(tmp_path / name) != content(SAMPLE / name)] == []


def test_the_committed_sample_stays_small():
    assert sum(file.stat().st_size for file in SAMPLE.rglob("*")) < 15_000_000


def test_gzip_files_carry_no_clock():
    for file in SAMPLE.rglob("*.gz"):
        assert file.read_bytes()[4:8] == b"\0\0\0\0", file.name


def test_the_truth_is_read_by_no_module_outside_the_sample():
    for file in (HOME / "revops_helpers").rglob("*.py"):
        if "sample" in file.relative_to(HOME / "revops_helpers").parts[:1]:
            continue
        code = file.read_text(encoding="utf-8")
        assert "truth.json" not in code and "sample.truth" not in code, file
        imported = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.ImportFrom) and n.module]
        inside = {n.module for n in imported if n.module.startswith("revops_helpers.sample")}
        assert inside <= {"revops_helpers.sample.write", "revops_helpers.sample.world"}, file
    for notebook in (HOME / "notebooks").glob("*.ipynb"):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        assert not any("truth" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"), notebook


# ---- every table


def test_every_table_of_the_model_is_there_with_columns_of_the_model_and_unique_keys(sample):
    assert set(sample.tables) == set(TABLES)
    for name, table in sample.tables.items():
        assert len(table), name
        assert set(table.columns) <= TABLES[name].names, name
        assert not table.duplicated(list(TABLES[name].key)).any(), name
        for column in TABLES[name].columns:
            assert not column.required or table[column.name].notna().all(), (name, column.name)


def test_every_reference_points_at_a_row(sample):
    for name, table in sample.tables.items():
        for column in TABLES[name].columns:
            if column.refers and column.name in table:
                other, _, key = column.refers.partition(".")
                values = table[column.name].dropna()
                assert values.isin(sample.tables[other][key]).all(), (name, column.name)


def test_dates_are_in_the_order_that_the_contract_asks_for_and_end_with_the_data(sample):
    after = w.times(np.array([w.END_SECOND]))[0]
    for name, table in sample.tables.items():
        for later, earlier in TABLES[name].not_before:
            if later in table and earlier in table:
                assert not (table[later] < table[earlier]).any(), (name, later)
        for column in (c for c in TABLES[name].columns if c.stamped and c.name in table):
            assert not (table[column.name] > after).any(), (name, column.name)


def test_enumerations_are_the_models_words(sample):
    for name, table in sample.tables.items():
        for column in (c for c in TABLES[name].columns if c.allowed and c.name in table):
            assert set(table[column.name].dropna().unique()) <= set(column.allowed), (name, column.name)


def test_touches_activities_and_usage_are_kept_for_24_months_and_deals_and_billing_for_60(sample):
    first = {
        "touches": sample.tables["touches"]["occurred_at"].min(),
        "activities": sample.tables["activities"]["occurred_at"].min(),
        "usage": sample.tables["usage"]["week"].min(),
        "opportunities": sample.tables["opportunities"]["created_at"].min(),
        "invoices": sample.tables["invoices"]["issued_on"].min(),
    }
    assert {name: (day.year, day.month) for name, day in first.items()} == {
        "touches": (2024, 10),
        "activities": (2024, 10),
        "usage": (2024, 10),
        "opportunities": (2021, 10),
        "invoices": (2021, 10),
    }


# ---- seeds and scale


def test_the_same_seed_gives_the_same_company_and_another_seed_another():
    one, again, other = (MAKERS["subscriptions"](World(seed, 0.2)) for seed in (3, 3, 4))
    assert one.equals(again)
    assert not one["mrr"].equals(other["mrr"])


def test_scale_multiplies_the_company():
    small, large = World(5, 0.5), World(5, 2.0)
    assert len(large.core.funnel.lead["created"]) == pytest.approx(4 * len(small.core.funnel.lead["created"]), rel=0.01)
    assert len(large.accounts.table) == pytest.approx(4 * len(small.accounts.table), rel=0.1)


# ---- the gap


@pytest.mark.parametrize("seed", range(8))
def test_every_seed_is_27_percent_behind_plan_within_three_points(seed):
    assert abs(plan.simulate_core(seed, 1.0).gap - 0.27) <= 0.03


def test_the_planted_effects_sum_to_the_planted_gap_and_three_drivers_carry_it(sample):
    effects, gap = sample.truth["effects"], sample.truth["gap"]
    assert sum(effects.values()) == pytest.approx(gap["planted"] - gap["plan"], abs=2)
    assert gap["planted_share"] == pytest.approx(0.27, abs=0.01)
    behind = {name for name, cents in effects.items() if cents < -0.02 * gap["plan"]}
    ahead = {name for name, cents in effects.items() if cents > 0.02 * gap["plan"]}
    assert behind == {"lead_to_opportunity", "win_rate", "churn"}
    assert ahead == {"leads"}


def test_each_shortfall_is_at_least_three_standard_errors_from_plan(world):
    core, drivers = world.core, world.core.actual
    leads = drivers["leads"]
    decided = leads * drivers["lead_to_opportunity"] * drivers["decided_share"]
    live = core.book.alive[:, w.YEAR_MONTH - 1]
    mrr = MAKERS["subscriptions"](world).groupby("account_id")["mrr"].last()
    dispersion = 1 + (mrr.std() / mrr.mean()) ** 2
    for name, n, factor in (("lead_to_opportunity", leads, 1), ("win_rate", decided, 1), ("churn", live.sum(), dispersion)):
        p = drivers[name]
        assert abs(p - core.plan[name]) / np.sqrt(p * (1 - p) / n * factor) >= 3, name


def test_the_monthly_plan_adds_up_to_the_planned_total(sample):
    targets = sample.tables["targets"]
    year = targets[(targets["period_start"] >= "2026-01-01") & (targets["period_end"] <= "2026-09-30")]
    total = year[year["metric"] == "net_new_arr"]["value"].sum()
    assert total == pytest.approx(sample.truth["gap"]["plan"] / 100, abs=0.10)
    for name, driver in sample.truth["drivers"].items():
        rows = year[year["metric"] == name]["value"]
        planned = driver["plan"] / (100 if name == "deal_size" else 1)
        assert (rows.sum() if name in (*plan.SHARES, "leads") else rows.iloc[0]) == pytest.approx(planned, abs=1e-9), name


def test_billing_tells_the_movements_that_were_simulated(sample, world):
    """ARR from the subscription lines at the start and end of the year, against the events that made it, to the cent."""
    lines, rate = sample.tables["subscriptions"], {"BRL": 1.0, "USD": w.PLAN_USD}
    brl = np.round(lines["mrr"] * lines["currency"].astype("str").map(rate)).astype(int)

    def arr(day: str) -> int:
        live = (lines["starts_on"] <= day) & (lines["ends_on"].isna() | (lines["ends_on"] > day))
        return 12 * int(brl[live].sum())

    assert arr("2025-12-31") == world.core.book.opening_arr == sample.truth["gap"]["opening_arr"]
    assert arr("2026-09-30") - arr("2025-12-31") == sample.truth["gap"]["realised"]


# ---- other planted truth


def test_conversion_follows_the_planted_logit(world):
    """Among contacted leads, the coefficients of heat, of a fast answer and of each channel lie within three standard errors."""
    import statsmodels.api as sm

    lead, truth = world.core.funnel.lead, truth_of(world)["response"]
    seen = world.leads.step["contact"] >= 0
    channels = [name for name in truth["logit"] if name not in ("fast", "heat")]
    late = lead["month"] >= w.YEAR_MONTH
    columns = [lead["heat"], lead["response"] <= truth["fast_minutes"], *(lead[f"saw_{c}"] for c in channels), late]
    design = sm.add_constant(np.column_stack(columns)[seen].astype(float))
    fit = sm.Logit(lead["converted"][seen].astype(float), design).fit(disp=0)
    planted = [truth["logit"]["heat"], truth["logit"]["fast"], *(truth["logit"][c] for c in channels)]
    assert (np.abs(fit.params[1:-1] - planted) < 3 * fit.bse[1:-1]).all()
    naive = sm.Logit(lead["converted"][seen].astype(float), sm.add_constant(design[:, 2])).fit(disp=0)
    assert naive.params[1] > planted[1] + 3 * naive.bse[1]  # heat confounds: the raw effect is far too large


def test_an_incomplete_handoff_multiplies_churn_as_planted(world):
    from lifelines import CoxPHFitter

    customer, event = world.core.book.customer, world.core.book.event
    left = np.full(len(customer["start"]), w.LAST_DAY)
    gone = np.zeros(len(left), dtype=int)
    churned = event["kind"] == 4
    left[event["customer"][churned][::-1]] = event["day"][churned][::-1]
    gone[event["customer"][churned]] = 1
    who = (customer["deal"] >= 0) & (customer["start"] < left)
    frame = {"months": (left - customer["start"])[who] / 30.4, "gone": gone[who], "incomplete": customer["incomplete"][who] * 1}
    fit = CoxPHFitter().fit(pd.DataFrame(frame), "months", "gone").summary.loc["incomplete"]
    ratio = truth_of(world)["handoffs"]["hazard_ratio"]
    assert fit["exp(coef) lower 95%"] <= ratio <= fit["exp(coef) upper 95%"]


def test_the_sla_change_shortens_the_wait_of_website_leads_only(world):
    lead, truth = world.core.funnel.lead, truth_of(world)["sla_change"]
    web = lead["source"] == w.SOURCES.index(truth["source"])
    after = lead["created"] >= (np.datetime64(truth["starts_on"]) - np.datetime64(w.DAY0)).astype(int) * 86400
    waits = [np.median(lead["response"][group & when]) for group in (web, ~web) for when in (~after, after)]
    assert (waits[1] / waits[0]) / (waits[3] / waits[2]) == pytest.approx(truth["ratio_of_medians"], rel=0.10)


def test_proposals_wait_longest(world):
    history = world.deals.history
    stay = np.diff(history["at"])
    same = history["row"][1:] == history["row"][:-1]
    waits = [np.median(stay[same & (history["stage"][:-1] == stage)]) for stage in range(4)]
    assert int(np.argmax(waits)) == w.STAGES.index(truth_of(world)["bottleneck"]["stage"])


def test_one_seller_sandbags_and_one_over_promises(sample):
    forecasts, deals = sample.tables["forecasts"], sample.tables["opportunities"]
    won = deals[(deals["status"] == "won") & (deals["kind"] == "new")]
    value = won["amount"] * won["currency"].astype("str").map({"BRL": 1.0, "USD": w.PLAN_USD})
    quarter = won["closed_at"].dt.to_period("Q")
    outcome = value.groupby([won["owner_id"], quarter]).sum()
    commit = forecasts[forecasts["category"] == "commit"].groupby("user_id")["amount"].sum() / 2
    for user, bias in sample.truth["forecast_bias"].items():
        mine = outcome[user]
        assert commit[user] / mine[mine.index >= "2024Q4"].sum() == pytest.approx(bias, rel=0.15)


def test_repeated_companies_are_found_by_what_is_said_to_give_them_away(sample):
    accounts = sample.tables["accounts"].set_index("account_id")
    for way, pairs in sample.truth["duplicates"]["accounts"].items():
        for left, right in pairs:
            one, two = accounts.loc[left], accounts.loc[right]
            roots = [str(x["tax_id"]).replace(".", "")[:8] for x in (one, two)]
            same_id = names.plain(str(one["tax_id"])).translate(str.maketrans("", "", "./-")) == names.plain(str(two["tax_id"]))
            found = {"tax_id": same_id, "branch": roots[0] == roots[1], "domain": one["domain"] == two["domain"], "name": True}
            assert found[way], (way, left, right)
            assert way != "name" or (
                two[["tax_id", "domain"]].isna().all() and names.plain(one["name"]) == names.plain(two["name"])
            )


def test_claims_follow_from_the_costs_and_customers_that_are_recorded(sample):
    claims = sample.tables["metric_claims"].set_index("team")["value"]
    for team, fact in sample.truth["claims"].items():
        if team != "canonical":
            assert claims[team] == pytest.approx(fact["cents"] / fact["customers"] / 100, abs=0.005)


@pytest.mark.parametrize("scale", [0.002, 0.02])
def test_of_a_company_too_small_to_win_a_customer_a_quarter_nobody_claims_a_cost_per_customer(scale):
    claimed = [World(seed, scale).claims for seed in range(4)]
    assert any(fact["customers"] == 0 for _rows, truth in claimed for fact in truth.values())
    for rows, truth in claimed:
        assert set(rows["team"]) == {team for team, fact in truth.items() if fact["customers"]} - {"canonical"}


def test_the_smallest_company_is_written_whole(tmp_path):
    write_sample(tmp_path, 1, 0.002)
    assert len(list(tmp_path.rglob("*.gz"))) == len(list(SAMPLE.rglob("*.gz")))


def test_finance_differs_from_billing_by_what_is_recorded(sample):
    finance = sample.tables["financials"]["arr"].iloc[-1]
    difference = sum(part["cents"] for part in sample.truth["finance_difference"].values())
    gap = sample.truth["gap"]
    assert finance - difference == gap["opening_arr"] + gap["realised"]


# ---- the bricks


def test_check_digits_of_a_cnpj():
    """11.222.333/0001-81 is the textbook example; 12.ABC.345/01DE-35 is the one of the Receita Federal for letters."""
    places = np.array([[ord(c) - 48 for c in text] for text in ("112223330001", "12ABC34501DE")])
    assert names.check_digits(places).tolist() == [[8, 1], [3, 5]]


def test_working_minutes_stand_still_at_night_at_weekends_and_on_holidays():
    at = np.array([(np.datetime64(t) - np.datetime64(w.DAY0, "s")).astype(int) for t in ("2026-09-04T17:30", "2026-09-05T12:00")])
    answered = w.times(w.after_business_minutes(at, np.array([60, 30]))) - np.timedelta64(w.UTC_BEHIND, "s")
    # Friday 17:30 plus an hour is Tuesday 9:30, for Monday 7 September is a holiday; Saturday waits for Tuesday too.
    assert [str(t) for t in answered] == ["2026-09-08 09:30:00", "2026-09-08 09:30:00"]


@given(st.integers(0, 10_000), st.lists(st.floats(0.01, 10), min_size=1, max_size=20))
def test_allocated_numbers_add_up_and_stay_close_to_their_share(total, weights):
    given_ = w.allocate(total, np.array(weights))
    assert given_.sum() == total
    assert (np.abs(given_ - total * np.array(weights) / sum(weights)) < 1 + 1e-6).all()


def test_salesforce_ids_have_the_check_letters_of_their_capitals():
    """Each letter stands for five characters and says which of them are capitals: the Q of 00Q is the third, so 2**2, E."""
    assert w.salesforce_ids("00Q", 1)[0] == "00Q5f0000000001EAA"
    assert w.salesforce_ids("006", 1)[0] == "0065f0000000001AAA"
