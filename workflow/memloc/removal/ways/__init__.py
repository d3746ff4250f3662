"""Ways to remove recitation, one module each; `removal.registry` lists them."""
