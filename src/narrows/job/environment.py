"""The job's environment: ours, and where the probe is, what it is told, and where it writes."""

import os
from pathlib import Path

SITE = Path(__file__).parent.parent / "probe" / "site"


def environment(spool: Path, **told: object) -> dict[str, str]:
    """`told` are the probe's settings: `steps=100, seconds=30`."""
    made = dict(os.environ)
    made["PYTHONPATH"] = os.pathsep.join([str(SITE), *filter(None, [made.get("PYTHONPATH")])])
    made["NARROWS_SPOOL"] = str(spool)
    made["NARROWS_PROBE"] = ",".join(f"{name}={value}" for name, value in told.items())
    return made
