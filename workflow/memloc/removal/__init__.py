"""Take a paragraph out of the model: unlearning and editing."""
