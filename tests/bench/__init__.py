"""The benchmark: the daemon beside a bare AMI client, on the same lab, dialplan and filters, in one run."""
