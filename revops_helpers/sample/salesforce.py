"""The exports of Salesforce, with the field names of its interface; fields of the company's own end in __c."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revops_helpers.sample.shapes import Column, Export, iso_day, iso_moment, lower_flag, mapped, money, numbered, words

CLOSED = ("won", "lost")
KINDS = {"new": "New Business", "expansion": "Existing Business", "renewal": "Renewal"}
CATEGORIES = {"pipeline": "Pipeline", "best": "Best Case", "commit": "Commit", "closed": "Closed", "omitted": "Omitted"}
SUBTYPES = {"call": "Call", "email": "Email", "task": "Task"}
DIRECTIONS = {"inbound": "Inbound", "outbound": "Outbound", "internal": "Internal"}


def first_of(*columns: str) -> Column:
    return lambda rows: pc.coalesce(*[words(rows[c]) for c in columns])


def seconds(rows: pd.DataFrame) -> pa.Array:
    return pa.array((rows["minutes"] * 60).astype("int64")).cast(pa.string())


def before(column: str, owner: str) -> Column:
    """The value of the row before where it has the same owner."""

    def shifted(rows: pd.DataFrame) -> pa.Array:
        same = rows[owner] == rows[owner].shift()
        return words(rows[column].astype("str").shift().where(same))

    return shifted


SALESFORCE = (
    Export(
        "salesforce/User.csv.gz",
        "users",
        {
            "Id": "user_id",
            "Name": "name",
            "Email": "email",
            "Title": "role",
            "Department": "team",
            "Division": "region",
            "ManagerId": "manager_id",
            "IsActive": lambda rows: pc.if_else(pa.array(rows["left_on"].isna()), "true", "false"),
            "HireDate__c": iso_day("hired_on"),
            "LeaveDate__c": iso_day("left_on"),
        },
    ),
    Export(
        "salesforce/Account.csv.gz",
        "accounts",
        {
            "Id": "account_id",
            "Name": "name",
            "Website": "domain",
            "CNPJ__c": "tax_id",
            "ParentId": "parent_id",
            "Industry": "industry",
            "NumberOfEmployees": "employees",
            "BillingCountry": "country",
            "Region__c": "region",
            "Segment__c": "segment",
            "OwnerId": "owner_id",
            "CreatedDate": iso_moment("created_at"),
            "CurrencyIsoCode": "currency",
        },
        blanks={"Industry": 41, "NumberOfEmployees": 17},
    ),
    Export(
        "salesforce/Campaign.csv.gz",
        "campaigns",
        {
            "Id": "campaign_id",
            "Name": "name",
            "Type": "channel",
            "Kind__c": "kind",
            "Segment__c": "segment",
            "OwnerId": "owner_id",
            "StartDate": iso_day("starts_on"),
            "EndDate": iso_day("ends_on"),
            "BudgetedCost": money("budget"),
            "Status": "status",
        },
    ),
    Export(
        "salesforce/Lead.csv.gz",
        "leads",
        {
            "Id": "lead_id",
            "Name": "name",
            "Email": "email",
            "Phone": "phone",
            "Company": "company",
            "Title": "title",
            "Country": "country",
            "LeadSource": "source",
            "FirstCampaign__c": "campaign_id",
            "OwnerId": "owner_id",
            "Score__c": "score",
            "CreatedDate": iso_moment("created_at"),
            "AssignedDate__c": iso_moment("assigned_at"),
            "MQLDate__c": iso_moment("mql_at"),
            "SALDate__c": iso_moment("sal_at"),
            "SQLDate__c": iso_moment("sql_at"),
            "RejectedDate__c": iso_moment("rejected_at"),
            "RejectedReason__c": "rejected_reason",
            "FirstContactDate__c": iso_moment("first_contact_at"),
            "ConvertedAccountId": "account_id",
            "ConvertedOpportunityId": "opportunity_id",
        },
        blanks={"Phone": 19, "Title": 23},
    ),
    Export(
        "salesforce/LeadHistory.csv.gz",
        "lead_history",
        {
            "Id": numbered("017"),
            "LeadId": "lead_id",
            "CreatedById": "owner_id",
            "CreatedDate": iso_moment("changed_at"),
            "Field": lambda rows: pc.if_else(pc.equal(words(rows["status"]), "novo"), "created", "Status"),
            "OldValue": before("status", "lead_id"),
            "NewValue": lambda rows: pc.if_else(pc.equal(words(rows["status"]), "novo"), None, words(rows["status"])),
        },
    ),
    Export(
        "salesforce/Opportunity.csv.gz",
        "opportunities",
        {
            "Id": "opportunity_id",
            "AccountId": "account_id",
            "OwnerId": "owner_id",
            "Product__c": "product",
            "Motion__c": "motion",
            "Type": mapped("kind", KINDS),
            "NextStep": "next_step",
            "Amount": money("amount"),
            "CurrencyIsoCode": "currency",
            "CreatedDate": iso_moment("created_at"),
            "CloseDate": iso_day("close_date"),
            "StageName": "stage",
            "IsClosed": lambda rows: pc.if_else(pa.array(rows["status"].isin(CLOSED)), "true", "false"),
            "IsWon": lambda rows: pc.if_else(pa.array(rows["status"] == "won"), "true", "false"),
            "ForecastCategoryName": mapped("forecast_category", CATEGORIES),
            "LossReason__c": "lost_reason",
            "Competitor__c": "competitor",
        },
        blanks={"LossReason__c": 7, "NextStep": 5},
    ),
    Export(
        "salesforce/OpportunityHistory.csv.gz",
        "opportunity_history",
        {
            "Id": numbered("008"),
            "OpportunityId": "opportunity_id",
            "CreatedDate": iso_moment("changed_at"),
            "StageName": "stage",
            "Amount": money("amount"),
            "CloseDate": iso_day("close_date"),
            "ForecastCategory": mapped("forecast_category", CATEGORIES),
        },
    ),
    Export(
        "salesforce/Task.csv.gz",
        "activities",
        {
            "Id": "activity_id",
            "OwnerId": "user_id",
            "TaskSubtype": mapped("kind", SUBTYPES),
            "CallType": mapped("direction", DIRECTIONS),
            "WhoId": "lead_id",
            "WhatId": first_of("opportunity_id", "account_id"),
            "CreatedDate": iso_moment("occurred_at"),
            "CallDurationInSeconds": seconds,
            "IsAutomated__c": lower_flag("automated"),
        },
        only=lambda rows: rows["kind"] != "meeting",
    ),
    Export(
        "salesforce/Event.csv.gz",
        "activities",
        {
            "Id": "activity_id",
            "OwnerId": "user_id",
            "Audience__c": lambda rows: pc.if_else(pa.array(rows["customer_facing"]), "Customer", "Internal"),
            "WhoId": "lead_id",
            "WhatId": first_of("opportunity_id", "account_id"),
            "StartDateTime": iso_moment("occurred_at"),
            "DurationInMinutes": lambda rows: pa.array(rows["minutes"].astype("int64")).cast(pa.string()),
            "Direction__c": mapped("direction", DIRECTIONS),
        },
        only=lambda rows: rows["kind"] == "meeting",
    ),
    Export(
        "salesforce/Case.csv.gz",
        "tickets",
        {
            "Id": "ticket_id",
            "AccountId": "account_id",
            "CreatedDate": iso_moment("opened_at"),
            "ClosedDate": iso_moment("closed_at"),
            "Priority": "priority",
            "CSAT__c": "csat",
        },
    ),
)
