"""How remedies reach what the script makes: inside the job, with the standard library and its own framework."""
