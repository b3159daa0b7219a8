"""What measures the machine: standard library and torch only, run by path with the job's own interpreter.

That environment need not have narrows in it, and the one narrows is in need not have torch.
"""
