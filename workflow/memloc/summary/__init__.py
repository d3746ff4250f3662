"""All figures of a study with their captions in one PDF."""
