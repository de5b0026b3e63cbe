"""Kill -9 of the daemon while others tell it things and it tells others: nothing is lost on either side of a wire."""
