"""What a script stands on: its log, errors, the hash of its code, shards, atomic files, GPU locks."""
