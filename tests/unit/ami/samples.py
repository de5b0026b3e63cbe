"""One attempt and its order, complete and harmless."""

from datetime import UTC, datetime

from dialer.domain.ids import AttemptId, CallbackId
from dialer.engine.ports import Order

ATTEMPT = AttemptId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
PROCESS = "01BX5ZZKBKACTAV9WEVGEMMVRZ"
ORDER = Order(
    attempt=ATTEMPT,
    callback=CallbackId("01BX5ZZKBKACTAV9WEVGEMMVS0"),
    agent_endpoint="PJSIP/anna",
    number="+441614960001",
    trunk_endpoint="mi-trunk",
    caller_id="+442079460000",
    caller_name="Sales: Zoë",
    department="Sales & Service",
    page="https://www.example.com/?a=1,GLOBAL(X)=1",
    agent_ring=20,
    customer_ring=30,
    max_call=3600,
    press_to_accept=True,
    whisper="beep&vm-tocallnum",
    place_by=datetime(2026, 3, 1, 12, 0, 0, 900000, tzinfo=UTC),
    identity="",
)
