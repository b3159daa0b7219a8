"""The job: what to run, running it, and watching it from outside."""
