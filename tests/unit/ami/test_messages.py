"""Each action is what Asterisk expects to the letter, and every hostile field arrives harmless."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.ami import messages
from dialer.ami.codec import Framer, Unsendable, encode
from dialer.domain.ids import AttemptId
from dialer.engine.ports import Order
from tests.unit.ami.samples import ATTEMPT, ORDER, PROCESS


def test_originate_to_the_letter() -> None:
    assert messages.originate(ORDER) == messages.Action(
        "Originate",
        (
            ("Channel", "PJSIP/anna"),
            ("ChannelId", f"mi-{ATTEMPT}"),
            ("Context", "mi-agent"),
            ("Exten", "+441614960001"),
            ("Priority", "1"),
            ("Async", "true"),
            ("Timeout", "20000"),
            ("CallerID", '"Sales: Zoë" <+441614960001>'),
            ("Variable", f'CHANNEL(hangup_handler_push)="mi-end,s,1(mi-{ATTEMPT})"'),
            ("Variable", "FORWARD_CONTEXT=mi-nowhere"),
            ("Variable", "MI_BY=1772366400"),
            ("Variable", "MI_DB="),
            ("Variable", "MI_TRUNK=mi-trunk"),
            ("Variable", "MI_CLI=+442079460000"),
            ("Variable", "MI_RING=30"),
            ("Variable", "MI_MAX=3600"),
            ("Variable", "MI_ACCEPT=1"),
            ("Variable", "MI_WHISPER=beep&vm-tocallnum"),
            ("Variable", "PJSIP_HEADER(add,X-Mi-Callback-Id)=01BX5ZZKBKACTAV9WEVGEMMVS0"),
            ("Variable", "PJSIP_HEADER(add,X-Mi-Page)=https://www.example.com/?a=1%2CGLOBAL%28X%29=1"),
            ("Variable", "PJSIP_HEADER(add,X-Mi-Department)=Sales%20&%20Service"),
        ),
        about=ATTEMPT,
    )


def test_originate_with_a_time_until_which_the_customer_may_be_rung_and_a_link() -> None:
    until = datetime(2026, 3, 1, 21, 0, 0, 999999, tzinfo=UTC)
    plain = messages.originate(ORDER).headers
    headers = messages.originate(
        replace(ORDER, ring_until=until, page_link="https://desk.example.com/#/c/01A%20")
    ).headers
    assert [header for header in headers if header not in plain] == [
        ("Variable", "MI_UNTIL=1772398800"),  # never later than it was said
        ("Variable", "PJSIP_HEADER(add,Call-Info)=<https://desk.example.com/#/c/01A%20>;purpose=info"),
    ]
    assert [header for header in headers if header in plain] == list(plain)


def test_a_link_too_long_for_a_header_is_left_out() -> None:
    order = replace(ORDER, page_link=f"https://desk.example.com/{'x' * 700}")
    assert messages.originate(order) == messages.originate(ORDER)


def test_without_acceptance_the_answer_is_enough() -> None:
    headers = messages.originate(replace(ORDER, press_to_accept=False)).headers
    assert ("Variable", "MI_ACCEPT=0") in headers


@given(st.text(st.characters(exclude_categories=()), max_size=2000))
def test_no_visitor_can_break_an_originate(text: str) -> None:
    action = messages.originate(replace(ORDER, caller_name=text, page=text, department=text, page_link=f"x{text[:99]}"))
    identifier = messages.action_id(PROCESS, 10**9, ATTEMPT)
    data = encode((("Action", action.name), ("ActionID", identifier), *action.headers))
    framer = Framer()
    framer.receive(b"Asterisk Call Manager/11.0.0\r\n" + data)
    sent = framer.next_message()
    assert sent is not None
    assert framer.next_message() is None
    *variables, link = sent.getall("Variable")
    assert len(variables) == 13
    assert sent.headers().keys() == {
        *("action", "actionid", "channel", "channelid", "context", "exten"),
        *("priority", "async", "timeout", "callerid", "variable"),
    }
    for variable in variables[1:]:
        assert not set(variable.removeprefix("PJSIP_HEADER(add,X-Mi-")) & set(',"\\$[{;')
    before, between, behind = link.partition("<x")
    assert (before, between) == ("PJSIP_HEADER(add,Call-Info)=", "<x")
    assert behind.endswith(">;purpose=info")
    assert not set(behind.removesuffix(">;purpose=info")) & set(' <>,"\\$[{;')


@pytest.mark.parametrize(
    ("order", "value"),
    [
        (replace(ORDER, trunk_endpoint="trunk,GLOBAL(X)=1"), "GLOBAL"),
        (replace(ORDER, caller_id='"x" <1>'), '"x"'),
        (replace(ORDER, whisper="beep,skip"), "skip"),
        (replace(ORDER, whisper="${X}"), "${X}"),
        (replace(ORDER, number="+44161496000x"), "+44161496000x"),
        (replace(ORDER, number=""), "+44"),
        (replace(ORDER, attempt=AttemptId("01ARZ3NDEKTSV4RRFFQ69G5FA)")), "01ARZ"),
    ],
)
def test_a_configured_value_that_would_split_is_refused_unquoted(order: Order, value: str) -> None:
    with pytest.raises(Unsendable) as refusal:
        messages.originate(order)
    assert value not in str(refusal.value)


def test_the_secret_is_never_sent_nor_shown() -> None:
    action = messages.login("mi-dialer", "opensesame", "12345")
    assert "opensesame" not in str(action.headers)
    # As `printf 12345opensesame | md5sum` says.
    assert ("Key", "119f57dca49a4bc4907416ec2738a98b") in action.headers
    assert "mi-dialer" not in repr(action)


def test_the_small_actions() -> None:
    small = [
        (messages.challenge(), "Challenge", {"AuthType": "MD5"}, ""),
        (messages.events_on(), "Events", {"EventMask": "on"}, ""),
        (messages.getvar("X"), "Getvar", {"Variable": "X"}, ""),
        (messages.ping(), "Ping", {}, ""),
        (messages.core_status(), "CoreStatus", {}, ""),
        (messages.core_show_channels(), "CoreShowChannels", {}, "CoreShowChannelsComplete"),
        (messages.device_state_list(), "DeviceStateList", {}, "DeviceStateListComplete"),
        (messages.journal_get(ATTEMPT), "DBGet", {"Family": "mi", "Key": f"mi-{ATTEMPT}"}, "DBGetComplete"),
        (messages.revocation_get(ATTEMPT), "DBGet", {"Family": "mi-no", "Key": f"mi-{ATTEMPT}"}, "DBGetComplete"),
        (
            messages.revocation_put(ATTEMPT, "1.5"),
            "DBPut",
            {"Family": "mi-no", "Key": f"mi-{ATTEMPT}", "Val": "1.5"},
            "",
        ),
        (messages.identity_get(), "DBGet", {"Family": "mi", "Key": "identity"}, "DBGetComplete"),
        (messages.identity_put("X"), "DBPut", {"Family": "mi", "Key": "identity", "Val": "X"}, ""),
        (messages.delete("mi", ATTEMPT), "DBDel", {"Family": "mi", "Key": f"mi-{ATTEMPT}"}, ""),
        (messages.keys("mi-no", "01ABC"), "DBGetTree", {"Family": "mi-no", "Key": "mi-01ABC%"}, "DBGetTreeComplete"),
        (messages.clock(), "Getvar", {"Variable": "STRFTIME(,,%s)"}, ""),
        (messages.hangup(f"mi-{ATTEMPT}"), "Hangup", {"Channel": f"mi-{ATTEMPT}", "Cause": "26"}, ""),
        (messages.channel_state("1.2"), "Getvar", {"Channel": "1.2", "Variable": "CHANNEL(state)"}, ""),
        (
            messages.announce_revoked("1.2"),
            "Redirect",
            {"Channel": "1.2", "Context": "mi-revoked", "Exten": "s", "Priority": "1"},
            "",
        ),
    ]
    for action, name, headers, complete in small:
        assert (action.name, dict(action.headers), action.complete) == (name, headers, complete)


def test_an_action_id_says_what_it_is_about() -> None:
    assert messages.about(messages.action_id(PROCESS, 7, ATTEMPT)) == ATTEMPT
    assert messages.action_id(PROCESS, 7, None) == f"mi-{PROCESS}-7"
    for foreign in ("", "7", f"mi-{PROCESS}-7", f"xx-{PROCESS}-7-{ATTEMPT}", f"mi-{PROCESS}-7-short", "a-b-c-d-e"):
        assert messages.about(foreign) is None
