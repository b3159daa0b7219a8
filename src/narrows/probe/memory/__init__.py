"""A memory run: which tensors hold how much, when. Standard library and the job's own torch only.

It is slow (some 20 microseconds for each op) and is a run of its own: nothing here is in a job that is timed.
"""
