"""What a study takes: memory and time of every rule before it runs, and how fast a machine is."""
