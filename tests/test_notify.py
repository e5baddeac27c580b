"""A webhook is told of a review in short; whatever it answers, the review stays published."""

import json

import nbformat
import pytest
from click.testing import CliRunner

from revops_helpers.cli import main
from revops_helpers.review.notify import NotNotified, checked_address, message, notify, summary
from revops_helpers.settings import InputError
from revops_helpers.words.messages import use
from tests.test_review import notebook

HEADLINES = ["Win rate costs R$ 1.2 M", "Churn costs R$ 0.8 M", "<!channel> & more", "A fourth"]


@pytest.fixture
def published(tmp_path):
    """published(show_people): the files of a review that the message is made of."""

    def made(show_people: bool = False):
        told = {"language": "en", "show_people": show_people}
        about = {"company": "Tiny S.A.", "as_of": "2026-09-30"}
        (tmp_path / "manifest.json").write_text(json.dumps({"review": about, "parameters": {"00_x": told}}))
        found = [{"headline": text, "metric": "win_rate"} for text in HEADLINES]
        (tmp_path / "findings.json").write_text(json.dumps(found))
        head = {"application/vnd.revops+json": {"kind": "header", "title": "R$ 2.0 M behind plan"}}
        shown = notebook("1")
        shown.cells[-1].outputs = [nbformat.v4.new_output("display_data", head)]
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        nbformat.write(shown, tmp_path / "notebooks" / "00_x.ipynb")
        return tmp_path

    yield made
    use("en")


def test_the_summary_says_the_gap_and_the_three_findings_worth_most(published):
    said = summary(published(), money=True, link="https://reports.example/latest/")
    assert said["title"].replace("\u00a0", " ") == "Tiny S.A.: review as of 30 Sep 2026"
    assert (said["gap"], said["findings"], said["findings_in_all"]) == ("R$ 2.0 M behind plan", HEADLINES[:3], 4)
    assert said["url"] == "https://reports.example/latest/"


@pytest.mark.parametrize(("money", "people"), [(False, False), (True, True)])
def test_without_money_or_with_people_no_sentence_goes_out(published, money, people):
    said = summary(published(show_people=people), money=money)
    assert said["gap"] == "" and said["findings"] == ["Win rate"] * 3
    assert "R$" not in json.dumps(said)


def test_data_is_no_markup_in_the_message_and_teams_workflows_get_a_card(published):
    said = summary(published(), money=True)
    assert "3. &lt;!channel&gt; &amp; more" in message(said, "hooks.slack.com")["text"]
    card = message(said | {"gap": "*a* [b](c)"}, "prod-1.brazilsouth.logic.azure.com")
    texts = [block["text"] for block in card["attachments"][0]["content"]["body"]]
    assert texts[1] == "\\*a\\* \\[b\\](c)" and card["type"] == "message" and "text" not in card


def test_it_is_sent_once_and_once_more_when_the_first_is_not_taken(hook, published):
    said = summary(published(), money=True)
    notify(hook.address, said, pause=0)
    hook.answers = [503]
    notify(hook.address, said, pause=0)
    assert len(hook.taken) == 3 and hook.taken[0] == hook.taken[2] == message(said, "127.0.0.1")


@pytest.mark.parametrize(
    ("answers", "sent", "problem"), [([500, 500], 2, "answered 500"), ([404], 1, "answered 404"), ([302], 1, "answered 302")]
)
def test_what_is_refused_is_one_line_that_does_not_say_the_address(hook, published, answers, sent, problem):
    hook.answers = answers
    with pytest.raises(NotNotified, match=problem) as failed:
        notify(hook.address, summary(published(), money=True), pause=0)
    assert len(hook.taken) == sent and "secret" not in str(failed.value)


def test_nobody_there_and_no_answer_in_time_are_failures(hook):
    with pytest.raises(NotNotified, match="was not told"):
        notify("http://127.0.0.1:9/x", {"gap": "", "findings": [], "url": "", "title": ""}, pause=0)


@pytest.mark.parametrize(
    "url", ["http://hooks.example/x", "ftp://127.0.0.1/x", "https://u:p@hooks.example/x", "https:///x", "x", "https://a b/", "https://[/"]
)  # fmt: skip
def test_addresses_that_are_not_https_or_hold_a_password_are_refused_and_not_said_back(url):
    with pytest.raises(InputError) as refused:
        checked_address(url, "--notify")
    assert url not in str(refused.value).removeprefix("--notify")


@pytest.mark.parametrize("url", ["https://hooks.slack.com/x", "http://localhost:1/x", "http://[::1]:1/x", "http://127.9.9.9/x"])
def test_https_and_this_machine_are_allowed(url):
    assert checked_address(url, "--notify") == url


def test_a_review_of_which_nobody_was_told_stays_published_and_exits_3(published, monkeypatch):
    from revops_helpers.review import build

    monkeypatch.setattr(build, "review", lambda *_given: published())
    ended = CliRunner().invoke(main, ["review", "sample", "--notify", "http://127.0.0.1:9/secret"])
    assert ended.exit_code == 3 and ended.stdout.startswith("Review published: ")
    assert ended.stderr.count("\n") == 1 and "127.0.0.1 was not told" in ended.stderr and "secret" not in ended.output


def test_a_wrong_address_is_refused_before_anything_runs():
    ended = CliRunner().invoke(main, ["review", "/not/there", "--report-url", "http://hooks.example/x"])
    assert ended.exit_code == 2 and "--report-url: the address must be https" in ended.stderr
