"""Memory: who holds it, what it would be at another size, and what makes it fit. Pure."""
