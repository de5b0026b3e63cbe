"""The visitor's own page: by a signed link, to see, move or cancel a callback, or to object to further calls."""
