"""What this machine is, and its measured limits."""
