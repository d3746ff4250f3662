"""Tables: reading, writing, provenance and checksums; schemas in one file per stage."""
