"""A short run of `make backlog`: what was due during a stop is spread, in order, in turn. What the far end sees of the
spreading is the long run's to show: a machine that stalls sends together what was decided apart."""

from tests.backlog.run import RATE, run


async def test_a_backlog_is_spread_by_the_pace_and_dialled_in_order_and_in_turn() -> None:
    result = await run(200)
    assert (result.completed, result.customers_rung, result.customers_rung_twice) == (200, 200, 0)
    assert result.closest_intents >= 1 / RATE
    assert result.rate_per_second <= RATE
    assert (result.out_of_order, result.small_account_delay_slots) == (0, 1)
