"""What the probe left behind, read back: everything after this folder works on these records alone."""
