"""Changes of mind in the race with dialling: who was told that they would not be rung, is not rung."""
