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


def test_many_devices_share_few_filters_that_fit_their_lines() -> None:
    many = filters([f"PJSIP/agent-{number:04}" for number in range(1000)])
    assert len(many) < 40
    for each in many:
        for action in (each.present, each.older):
            encode((("Action", action.name), *action.headers))


def test_without_devices_there_is_no_device_filter() -> None:
    assert len(filters([])) == 7
