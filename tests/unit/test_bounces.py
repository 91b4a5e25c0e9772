"""What a report means: a table of what servers say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.bounces import Form, Meaning, Outcome, Report, Why, judge, precise_status, return_address, stand_in

READER = "Reader@example.org"


def outcome(
    action: str | None = "failed",
    status: str | None = None,
    diagnostic: str | None = None,
    *,
    addresses: tuple[str, ...] = (READER,),
) -> Outcome:
    return Outcome(addresses=addresses, action=action, status=status, diagnostic=diagnostic)


def report(*outcomes: Outcome, form: Form = Form.DELIVERY_STATUS) -> Report:
    return Report(report_id="<r@example.net>", form=form, tokens=(), quoted=(), outcomes=outcomes)


@pytest.mark.parametrize(
    ("said", "meaning", "why"),
    [
        pytest.param(outcome("failed", "5.1.1"), Meaning.LOST, Why.NO_SUCH_ADDRESS, id="no such user"),
        pytest.param(outcome("failed", "5.1.2"), Meaning.LOST, Why.NO_SUCH_ADDRESS, id="no such domain"),
        pytest.param(outcome("failed", "5.1.10"), Meaning.LOST, Why.NO_SUCH_ADDRESS, id="a domain without mail"),
        pytest.param(outcome("failed", "5.2.1"), Meaning.LOST, Why.REFUSED_FOR_GOOD, id="mailbox disabled"),
        pytest.param(outcome("failed", "5.4.1"), Meaning.LOST, Why.REFUSED_FOR_GOOD, id="access denied"),
        pytest.param(outcome("failed", "5.5.0"), Meaning.LOST, Why.REFUSED_FOR_GOOD, id="mailbox unavailable"),
        pytest.param(outcome("failed", None), Meaning.LOST, Why.REFUSED_FOR_GOOD, id="failed without a word"),
        pytest.param(outcome("Failed", "5.1.1"), Meaning.LOST, Why.NO_SUCH_ADDRESS, id="the action in capitals"),
        pytest.param(outcome(None, "5.1.1"), Meaning.LOST, Why.NO_SUCH_ADDRESS, id="a status without an action"),
        pytest.param(
            outcome("failed", "5.0.0", "smtp; 552 5.2.2 over quota"), Meaning.RETURNED, Why.MAILBOX_FULL, id="words"
        ),
        pytest.param(
            outcome("failed", None, "smtp; 550 5.1.1 unknown"), Meaning.LOST, Why.NO_SUCH_ADDRESS, id="only words"
        ),
        pytest.param(
            outcome("failed", None, "451 try later"), Meaning.RETURNED, Why.GAVE_UP, id="only a passing reply code"
        ),
        pytest.param(outcome("failed", "5.2.2"), Meaning.RETURNED, Why.MAILBOX_FULL, id="mailbox full"),
        pytest.param(outcome("failed", "4.2.2"), Meaning.RETURNED, Why.MAILBOX_FULL, id="mailbox full for days"),
        pytest.param(outcome("failed", "4.4.1"), Meaning.RETURNED, Why.GAVE_UP, id="no answer for days"),
        pytest.param(outcome("failed", "5.4.7"), Meaning.RETURNED, Why.GAVE_UP, id="delivery time expired"),
        pytest.param(outcome("failed", "5.3.4"), Meaning.RETURNED, Why.MESSAGE_REFUSED, id="too big"),
        pytest.param(outcome("failed", "5.6.1"), Meaning.RETURNED, Why.MESSAGE_REFUSED, id="content"),
        pytest.param(outcome("failed", "5.7.1"), Meaning.RETURNED, Why.MESSAGE_REFUSED, id="policy"),
        pytest.param(outcome("failed", "5.7.515"), Meaning.RETURNED, Why.MESSAGE_REFUSED, id="our DKIM"),
        pytest.param(outcome("failed", "5.1.8"), Meaning.RETURNED, Why.MESSAGE_REFUSED, id="our domain"),
        pytest.param(outcome("delayed", "4.4.1"), Meaning.NOTHING, Why.STILL_TRYING, id="delayed"),
        pytest.param(outcome("delayed", "5.1.1"), Meaning.NOTHING, Why.STILL_TRYING, id="delayed, whatever the status"),
        pytest.param(outcome("delivered", "2.0.0"), Meaning.NOTHING, Why.DELIVERED, id="delivered"),
        pytest.param(outcome("relayed", "2.0.0"), Meaning.NOTHING, Why.DELIVERED, id="relayed"),
        pytest.param(outcome("expanded", "2.0.0"), Meaning.NOTHING, Why.DELIVERED, id="expanded"),
        pytest.param(outcome(None, "4.4.1"), Meaning.NOTHING, Why.UNCLEAR, id="nothing that can be understood"),
    ],
)
def test_what_a_server_says_has_one_meaning(said: Outcome, meaning: Meaning, why: Why) -> None:
    verdict = judge(report(said), READER, by_token=True)
    assert (verdict.meaning, verdict.why) == (meaning, why)
    assert verdict.outcome == said


def test_the_worst_of_several_outcomes_counts() -> None:
    verdict = judge(report(outcome("delivered"), outcome("failed", "5.1.1")), READER, by_token=True)
    assert verdict.meaning is Meaning.LOST


def test_a_report_about_no_message_of_ours_means_nothing() -> None:
    assert judge(report(outcome("failed", "5.1.1")), None, by_token=False).why is Why.NOT_OURS


def test_without_our_return_address_only_the_address_that_we_wrote_to_counts() -> None:
    forged = report(outcome("failed", "5.1.1", addresses=("other@example.org",)))
    assert judge(forged, READER, by_token=False).why is Why.OTHER_ADDRESS
    assert judge(forged, READER, by_token=True).meaning is Meaning.LOST  # where the reader forwards it to
    spelled = report(outcome("failed", "5.1.1", addresses=("reader@EXAMPLE.org",)))
    assert judge(spelled, READER, by_token=False).meaning is Meaning.LOST


def test_a_complaint_needs_our_return_address_or_the_readers_own() -> None:
    anonymous = report(form=Form.COMPLAINT)
    assert judge(anonymous, READER, by_token=False).meaning is Meaning.NOTHING
    assert judge(anonymous, READER, by_token=True).meaning is Meaning.COMPLAINT
    assert judge(report(outcome(None), form=Form.COMPLAINT), READER, by_token=False).meaning is Meaning.COMPLAINT


def test_a_delivery_status_that_names_nobody_is_unclear() -> None:
    assert judge(report(), READER, by_token=True).why is Why.UNCLEAR


@pytest.mark.parametrize(
    ("status", "words", "precise"),
    [
        ("5.0.0", "550 5.1.1 unknown", "5.1.1"),
        ("5.0.0", "450 4.2.1 later", "5.0.0"),
        ("5.1.1", "550 5.7.1 policy", "5.1.1"),
        ("nonsense", "from 192.5.1.1", None),
        (None, None, None),
    ],
    ids=["words say more", "words say another class", "the report says it", "an address of the network", "nothing"],
)
def test_the_more_precise_status_counts(status: str | None, words: str | None, precise: str | None) -> None:
    assert precise_status(outcome("failed", status, words)) == precise


@pytest.mark.parametrize(
    ("suspended", "gets"),
    [
        ((), READER),
        ((READER,), "deputy@example.org"),
        ((READER, "deputy@example.org"), "operator@example.org"),
        ((READER, "deputy@example.org", "operator@example.org"), READER),
    ],
    ids=["nobody is lost", "the reader is", "the fall-back reader too", "everybody is"],
)
def test_mail_goes_to_the_first_who_is_left(suspended: tuple[str, ...], gets: str) -> None:
    fallbacks = ("deputy@example.org", "operator@example.org")
    assert stand_in(READER, suspended=suspended, fallbacks=fallbacks) == gets


def test_the_word_of_a_return_address_stands_before_the_domain() -> None:
    assert return_address("bounces@example.org", "+", "abc") == "bounces+abc@example.org"


@given(
    st.sampled_from(Form),
    st.lists(st.builds(Outcome, addresses=st.tuples(), action=st.text(), status=st.text(), diagnostic=st.text())),
    st.booleans(),
)
def test_whatever_is_said_the_verdict_is_one_of_ours(form: Form, said: list[Outcome], by_token: bool) -> None:  # noqa: FBT001 given by hypothesis
    verdict = judge(report(*said, form=form), READER, by_token=by_token)
    assert verdict.meaning in Meaning
    if verdict.meaning is Meaning.LOST:
        assert verdict.outcome is not None
        assert by_token
