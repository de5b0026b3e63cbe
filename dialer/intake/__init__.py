"""The door: callback requests are read, checked and stored, or refused with their reason."""
