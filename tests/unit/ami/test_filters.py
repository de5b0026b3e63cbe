"""The server-side filters: only our own calls and our agents' phones, in few lines that Asterisk accepts."""

from dialer.ami.codec import encode
from dialer.ami.filters import filters


def test_filters_let_through_only_ours_in_both_forms() -> None:
    *ours, devices = filters(["PJSIP/b.en", "PJSIP/anna"])
    assert [dict(each.present.headers)["MatchCriteria"] for each in ours] == [
        f"action(include),name({name}),header({header}),method(starts_with)"
        for name, header in (
            ("OriginateResponse", "ActionID"),
            ("DialBegin", "DestLinkedid"),
            ("DialState", "DestLinkedid"),
            ("DialEnd", "DestLinkedid"),
            ("BridgeEnter", "Uniqueid"),
            ("Hangup", "Uniqueid"),
            ("UserEvent", "UserEvent"),
        )
    ]
    assert dict(ours[5].older.headers) == {"Operation": "Add", "Filter": "^Event: Hangup[[:space:]].*Uniqueid: mi-"}
    assert dict(devices.present.headers)["Filter"] == r"^(PJSIP/anna|PJSIP/b\.en)$"
    assert dict(devices.older.headers)["Filter"].startswith(
        "^Event: DeviceStateChange[[:space:]].*Device: (PJSIP/anna|"
    )


def test_with_contexts_answers_in_them_come_through_but_for_ours() -> None:
    plain = filters(["PJSIP/anna"])
    *rest, answered, ours = filters(["PJSIP/anna"], ["menu", "from.trunk"])
    assert rest == plain
    assert dict(answered.present.headers) == {
        "Operation": "Add",
        "MatchCriteria": "action(include),name(Newstate),method(regex)",
        "Filter": r"ChannelState: 6[[:space:]].*Context: (from\.trunk|menu)[[:space:]]",
    }
    assert dict(answered.older.headers)["Filter"] == (
        r"^Event: Newstate[[:space:]].*ChannelState: 6[[:space:]].*Context: (from\.trunk|menu)[[:space:]]"
    )
    assert dict(ours.present.headers) == {
        "Operation": "Add",
        "MatchCriteria": "action(exclude),name(Newstate),header(Linkedid),method(starts_with)",
        "Filter": "mi-",
    }
    assert dict(ours.older.headers)["Filter"] == "!^Event: Newstate[[:space:]].*Linkedid: mi-"


def test_many_contexts_fit_their_lines() -> None:
    for each in filters([], [f"from-the-trunk-number-{number:04}" for number in range(500)]):
        for action in (each.present, each.older):
            encode((("Action", action.name), *action.headers))


def test_many_devices_share_few_filters_that_fit_their_lines() -> None:
    many = filters([f"PJSIP/agent-{number:04}" for number in range(1000)])
    assert len(many) < 40
    for each in many:
        for action in (each.present, each.older):
            encode((("Action", action.name), *action.headers))


def test_without_devices_there_is_no_device_filter() -> None:
    assert len(filters([])) == 7
