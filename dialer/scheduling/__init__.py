"""When: opening hours and the next try. Pure; `now` is always passed in."""
