"""One file for each family of ops. Each registers its formulas; `registry.load` finds the files."""
