"""The built-in jobs: ordinary scripts, as a person would write them, on data that comes with packages."""
