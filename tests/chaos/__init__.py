"""Long tries of the promise on a real Asterisk: what dies, dies for real, and the far end's records are the witness."""
