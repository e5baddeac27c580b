"""Issues as Jira's REST interface gives them: one JSON object a line, with fields, links and the changelog inside."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd

from revops_helpers.sample import world as w

# The site's custom fields: first due date, Salesforce campaign, moment of approval.
ORIGINAL_DUE, CAMPAIGN, APPROVED = "customfield_10101", "customfield_10102", "customfield_10103"
KINDS = {"tarefa": "Tarefa", "campanha": "Campanha"}


def issues(work: dict[str, pd.DataFrame], users: pd.DataFrame) -> Iterator[str]:
    """One line of JSON per work item, with the status changes and links that it carries."""
    mail = dict(zip(users["user_id"], users["email"], strict=True))
    changes = work["work_transitions"][work["work_transitions"]["from_status"].notna()]
    moved = {key: rows.to_dict("records") for key, rows in changes.groupby("item_id", sort=False)}
    blocks = work["work_links"].groupby("from_item_id")["to_item_id"].agg(list).to_dict()
    for number, item in enumerate(work["work_items"].to_dict("records"), 10001):
        key = item["item_id"]
        issue = {"id": str(number), "key": key, "fields": _fields(item, mail, blocks.get(key, []))}
        issue["changelog"] = {"histories": [_history(row, mail) for row in moved.get(key, [])]}
        yield json.dumps(issue, ensure_ascii=False, separators=(",", ":"))


def _fields(item: dict, mail: dict[str, str], blocked: list[str]) -> dict:
    return {
        "summary": item["title"],
        "issuetype": {"name": KINDS[item["kind"]]},
        "project": {"key": item["project"]},
        "parent": {"key": item["parent_id"]} if _known(item["parent_id"]) else None,
        "assignee": {"emailAddress": mail[item["assignee_id"]]},
        "status": {"name": item["status"]},
        "created": _local(item["created_at"]),
        "duedate": f"{item['due_on']:%Y-%m-%d}",
        "resolutiondate": _local(item["done_at"]),
        ORIGINAL_DUE: f"{item['original_due_on']:%Y-%m-%d}",
        CAMPAIGN: item["campaign_id"],
        APPROVED: _local(item["approved_at"]),
        "issuelinks": [{"type": {"name": "Blocks"}, "outwardIssue": {"key": key}} for key in blocked],
    }


def _history(row: dict, mail: dict[str, str]) -> dict:
    change = {"field": "status", "fromString": row["from_status"], "toString": row["to_status"]}
    return {"created": _local(row["changed_at"]), "author": {"emailAddress": mail[row["author_id"]]}, "items": [change]}


def _local(moment: pd.Timestamp) -> str | None:
    """With the offset of the site's clock, as Jira writes it."""
    if not _known(moment):
        return None
    return f"{moment - pd.Timedelta(seconds=w.UTC_BEHIND):%Y-%m-%dT%H:%M:%S.000-0300}"


def _known(value: object) -> bool:
    return value is not None and not pd.isna(value)
