"""The faces of a report. Each takes a finished report and gives text; none measures or models."""
