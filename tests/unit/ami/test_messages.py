"""Each action is what Asterisk expects to the letter, and every hostile field arrives harmless."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.ami import messages
from dialer.ami.codec import Framer, Message, Unsendable, encode
from dialer.domain.ids import AttemptId
from dialer.engine.ports import DeviceState, Order
from tests.unit.ami.samples import ATTEMPT, ORDER, PROCESS


def message(**headers: str) -> Message:
    return Message({name.lower(): [value] for name, value in headers.items()})


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


def test_without_acceptance_the_answer_is_enough() -> None:
    headers = messages.originate(replace(ORDER, press_to_accept=False)).headers
    assert ("Variable", "MI_ACCEPT=0") in headers


@given(st.text(st.characters(exclude_categories=()), max_size=2000))
def test_no_visitor_can_break_an_originate(text: str) -> None:
    action = messages.originate(replace(ORDER, caller_name=text, page=text, department=text))
    identifier = messages.action_id(PROCESS, 10**9, ATTEMPT)
    data = encode((("Action", action.name), ("ActionID", identifier), *action.headers))
    framer = Framer()
    framer.receive(b"Asterisk Call Manager/11.0.0\r\n" + data)
    sent = framer.next_message()
    assert sent is not None
    assert framer.next_message() is None
    assert len(sent.getall("Variable")) == 12
    assert sent.headers().keys() == {
        *("action", "actionid", "channel", "channelid", "context", "exten"),
        *("priority", "async", "timeout", "callerid", "variable"),
    }
    for variable in sent.getall("Variable")[1:]:
        assert not set(variable.removeprefix("PJSIP_HEADER(add,X-Mi-")) & set(',"\\$[{;')


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
    ]
    for action, name, headers, complete in small:
        assert (action.name, dict(action.headers), action.complete) == (name, headers, complete)


def test_an_action_id_says_what_it_is_about() -> None:
    assert messages.about(messages.action_id(PROCESS, 7, ATTEMPT)) == ATTEMPT
    assert messages.action_id(PROCESS, 7, None) == f"mi-{PROCESS}-7"
    for foreign in ("", "7", f"mi-{PROCESS}-7", f"xx-{PROCESS}-7-{ATTEMPT}", f"mi-{PROCESS}-7-short", "a-b-c-d-e"):
        assert messages.about(foreign) is None


def test_the_boot_is_date_and_time() -> None:
    assert messages.boot(message(CoreStartupDate="2026-03-01", CoreStartupTime="12:00:00")) == "2026-03-01 12:00:00"
    assert messages.boot(message()) == ""


def test_the_stored_value_is_found_among_the_events_of_its_list() -> None:
    other = message(Event="Other", Val="2")
    assert messages.stored(messages.Reply(message(), (other, message(Event="DBGetResponse", Val="1")))) == "1"
    assert messages.stored(messages.Reply(message(), (other,))) is None


def test_living_channels_are_told_apart_by_their_ids() -> None:
    other = AttemptId("01ARZ3NDEKTSV4RRFFQ69G5FAW")
    living = messages.living(
        [
            message(Uniqueid=f"mi-{ATTEMPT}", Linkedid=f"mi-{ATTEMPT}"),
            message(Uniqueid="1.2", Linkedid=f"mi-{ATTEMPT}"),
            message(Uniqueid="1.3", Linkedid=f"mi-{other}"),
            message(Uniqueid="1.4", Linkedid="1.4"),
        ]
    )
    assert living == messages.Living(frozenset({ATTEMPT}), frozenset({ATTEMPT, other}))


def test_a_device_state_that_nobody_knows_is_unknown() -> None:
    assert messages.device(message(Device="PJSIP/anna", State="INUSE")).state is DeviceState.INUSE
    assert messages.device(message(Device="PJSIP/anna", State="DANCING")).state is DeviceState.UNKNOWN


def test_listed_keys_are_those_of_attempts() -> None:
    keys = (f"/mi/mi-{ATTEMPT}", "/mi/identity", "", f"/mi/mi-{ATTEMPT}x")
    events = (*(message(Event="DBGetTreeResponse", Key=key) for key in keys), message(Event="Other", Key=keys[0]))
    assert messages.listed(messages.Reply(message(Response="Success"), events)) == {ATTEMPT}
