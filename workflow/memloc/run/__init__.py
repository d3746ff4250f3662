"""The basis of every script: log, errors, hash of the code, seeds, shards, atomic files, GPU locks."""
