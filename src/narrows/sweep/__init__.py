"""One job over several settings, or machines: each is diagnosed, and all stand in one comparison."""
