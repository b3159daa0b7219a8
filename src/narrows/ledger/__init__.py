"""From a spool to a ledger: pure functions over its records, so that a report can be made again anywhere."""
