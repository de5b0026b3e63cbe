"""What others are told: the outbox and who reads it."""
