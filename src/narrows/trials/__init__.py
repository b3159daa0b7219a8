"""Fresh child processes that measure the job again, with something left out: paired, and harmless."""
