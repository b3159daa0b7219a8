"""The built-in workloads from outside: what is known of each, one run, and all of them in a table."""
