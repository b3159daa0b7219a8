"""How often the process took a page of memory from the kernel. Asking costs a microsecond, twice in a job."""

try:
    import resource
except ImportError:  # no Unix
    resource = None  # type: ignore[assignment]


def faults() -> int | None:
    """Since the process began, by all of its threads; None where the kernel does not say."""
    return None if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_minflt
