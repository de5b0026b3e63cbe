"""What the PBX's answers say, whatever else stands in them."""

from dialer.ami import answers
from dialer.ami.codec import Message
from dialer.ami.messages import Reply
from dialer.domain.ids import AttemptId
from dialer.engine.ports import DeviceState
from tests.unit.ami.samples import ATTEMPT


def message(**headers: str) -> Message:
    return Message({name.lower(): [value] for name, value in headers.items()})


def test_the_boot_is_date_and_time() -> None:
    assert answers.boot(message(CoreStartupDate="2026-03-01", CoreStartupTime="12:00:00")) == "2026-03-01 12:00:00"
    assert answers.boot(message()) == ""


def test_the_stored_value_is_found_among_the_events_of_its_list() -> None:
    other = message(Event="Other", Val="2")
    assert answers.stored(Reply(message(), (other, message(Event="DBGetResponse", Val="1")))) == "1"
    assert answers.stored(Reply(message(), (other,))) is None


def test_living_channels_are_told_apart_by_their_ids() -> None:
    other = AttemptId("01ARZ3NDEKTSV4RRFFQ69G5FAW")
    living = answers.living(
        [
            message(Uniqueid=f"mi-{ATTEMPT}", Linkedid=f"mi-{ATTEMPT}"),
            message(Uniqueid="1.2", Linkedid=f"mi-{ATTEMPT}"),
            message(Uniqueid="1.3", Linkedid=f"mi-{other}"),
            message(Uniqueid="1.4", Linkedid="1.4"),
        ]
    )
    assert living == answers.Living(frozenset({ATTEMPT}), frozenset({ATTEMPT, other}))


def test_a_device_state_that_nobody_knows_is_unknown() -> None:
    assert answers.device(message(Device="PJSIP/anna", State="INUSE")).state is DeviceState.INUSE
    assert answers.device(message(Device="PJSIP/anna", State="DANCING")).state is DeviceState.UNKNOWN


def test_listed_keys_are_those_of_attempts() -> None:
    keys = (f"/mi/mi-{ATTEMPT}", "/mi/identity", "", f"/mi/mi-{ATTEMPT}x")
    events = (*(message(Event="DBGetTreeResponse", Key=key) for key in keys), message(Event="Other", Key=keys[0]))
    assert answers.listed(Reply(message(Response="Success"), events)) == {ATTEMPT}
