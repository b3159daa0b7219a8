"""`narrows fit`: memory runs of a job, real and traced, and what they answer."""
