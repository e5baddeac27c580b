"""The exports of Salesforce, HubSpot and Gainsight, with the field names of their interfaces (custom fields as each writes them)."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revops_helpers.sample.shapes import Column, Export, epoch, iso_day, iso_moment, lower_flag, mapped, money, numbered, words

CLOSED = ("won", "lost")
KINDS = {"new": "New Business", "expansion": "Existing Business", "renewal": "Renewal"}
CATEGORIES = {"pipeline": "Pipeline", "best": "Best Case", "commit": "Commit", "closed": "Closed", "omitted": "Omitted"}
SUBTYPES = {"call": "Call", "email": "Email", "task": "Task"}
DIRECTIONS = {"inbound": "Inbound", "outbound": "Outbound", "internal": "Internal"}
EVENT_TYPES = {"page": "page_view", "ad_click": "ad_click", "webinar": "webinar_attended", "event": "event_check_in"}
EVENT_TYPES |= {"referral": "partner_referral", "call": "outbound_call"}
BANDS = {"green": "Green", "yellow": "Yellow", "red": "Red"}


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


def contact_of(lead: str) -> Column:
    """HubSpot's number of the contact behind a Salesforce lead id."""
    return lambda rows: pc.utf8_ltrim(pc.utf8_slice_codeunits(words(rows[lead]), 6, 15), characters="0")


def company_of(account: str) -> Column:
    """Gainsight's id of the company behind a Salesforce account id."""
    return lambda rows: pc.binary_join_element_wise("1P02", pc.utf8_slice_codeunits(words(rows[account]), 6, 15), "")


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

HUBSPOT = (
    Export(
        "hubspot/contacts.csv.gz",
        "leads",
        {
            "id": contact_of("lead_id"),
            "email": "email",
            "createdate": iso_moment("created_at"),
            "hubspotscore": "score",
            "salesforceleadid": "lead_id",
        },
    ),
    Export(
        "hubspot/campaigns.csv.gz",
        "campaigns",
        {
            "id": lambda rows: pa.array(rows.index.to_numpy() + 7001).cast(pa.string()),
            "name": "name",
            "salesforcecampaignid": "campaign_id",
        },
    ),
    Export(
        "hubspot/email_events.csv.gz",
        "touches",
        {
            "id": "touch_id",
            "type": lambda rows: "OPEN",
            "created": epoch("occurred_at"),
            "contactId": contact_of("lead_id"),
            "campaignId": lambda rows: campaign_number(rows),
        },
        only=lambda rows: rows["kind"] == "email_open",
    ),
    Export(
        "hubspot/form_submissions.csv.gz",
        "touches",
        {
            "conversionId": "touch_id",
            "submittedAt": epoch("occurred_at"),
            "formId": lambda rows: "fale-com-vendas",
            "contactId": contact_of("lead_id"),
            "campaignId": lambda rows: campaign_number(rows),
        },
        only=lambda rows: rows["kind"] == "form",
    ),
    Export(
        "hubspot/events.csv.gz",
        "touches",
        {
            "id": "touch_id",
            "eventType": mapped("kind", EVENT_TYPES),
            "hsAnalyticsSource": "channel",
            "occurredAt": iso_moment("occurred_at"),
            "contactId": contact_of("lead_id"),
            "campaignId": lambda rows: campaign_number(rows),
        },
        only=lambda rows: ~rows["kind"].isin(["email_open", "form"]),
    ),
)


def campaign_number(rows: pd.DataFrame) -> pa.Array:
    """HubSpot's number of the campaign behind a Salesforce campaign id."""
    number = pc.utf8_ltrim(pc.utf8_slice_codeunits(words(rows["campaign_id"]), 6, 15), characters="0")
    return pc.add(number.cast(pa.int64()), 7000).cast(pa.string())


GAINSIGHT = (
    Export(
        "gainsight/Company.csv.gz",
        "accounts",
        {"Gsid": company_of("account_id"), "Name": "name", "Industry": "industry", "SfdcAccountId": "account_id"},
    ),
    Export(
        "gainsight/CallToAction.csv.gz",
        "onboardings",
        {
            "Gsid": "onboarding_id",
            "CompanyId": company_of("account_id"),
            "Type": lambda rows: "Onboarding",
            "OwnerSfdcId__gc": "csm_id",
            "SfdcOpportunityId__gc": "opportunity_id",
            "CreatedDate": iso_moment("handed_off_at"),
            "AcceptedDate__gc": iso_moment("accepted_at"),
            "ItemsRequired__gc": "items_required",
            "ItemsDone__gc": "items_done",
            "PromisedLiveDate__gc": iso_day("promised_live_on"),
            "KickoffDate__gc": iso_moment("kickoff_at"),
            "GoLiveDate__gc": iso_moment("live_at"),
            "FirstValueDate__gc": iso_moment("first_value_at"),
        },
    ),
    Export(
        "gainsight/ScorecardHistory.csv.gz",
        "health_scores",
        {
            "CompanyId": company_of("account_id"),
            "ScoreDate": iso_day("scored_on"),
            "OverallScore": "score",
            "ScoreLabel": mapped("band", BANDS),
            "NPS": "nps",
            "CSMSentiment__gc": "csm_sentiment",
        },
    ),
    Export(
        "gainsight/AdoptionWeekly.csv.gz",
        "usage",
        {
            "CompanyId": company_of("account_id"),
            "WeekOf": iso_day("week"),
            "ActiveUsers": "active_users",
            "LicensedUsers": "seats",
            "Sessions": "sessions",
            "KeyEvents": "key_events",
        },
    ),
)
SYSTEMS = (*SALESFORCE, *HUBSPOT, *GAINSIGHT)
