"""Resources of a study before it runs: memory and time of every rule, by the speed of this machine."""
