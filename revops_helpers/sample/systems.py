"""The exports of HubSpot and Gainsight, with the field names of their interfaces (Gainsight's own fields end in __gc)."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revops_helpers.sample.salesforce import SALESFORCE
from revops_helpers.sample.shapes import Column, Export, epoch, iso_day, iso_moment, mapped, words

EVENT_TYPES = {"page": "page_view", "ad_click": "ad_click", "webinar": "webinar_attended", "event": "event_check_in"}
EVENT_TYPES |= {"referral": "partner_referral", "call": "outbound_call"}
BANDS = {"green": "Green", "yellow": "Yellow", "red": "Red"}


def contact_of(lead: str) -> Column:
    """HubSpot's number of the contact behind a Salesforce lead id."""
    return lambda rows: pc.utf8_ltrim(pc.utf8_slice_codeunits(words(rows[lead]), 6, 15), characters="0")


def company_of(account: str) -> Column:
    """Gainsight's id of the company behind a Salesforce account id."""
    return lambda rows: pc.binary_join_element_wise("1P02", pc.utf8_slice_codeunits(words(rows[account]), 6, 15), "")


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
