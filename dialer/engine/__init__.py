"""The async heart: decide, claim, dispatch, apply events, finish. Knows the PBX and the store only as protocols."""
