"""Who: the agent, the trunk, the caller ID, and what the agent is told. Pure."""
