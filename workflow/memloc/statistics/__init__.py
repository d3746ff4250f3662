"""All statistics: intervals of means, shares and differences, tests, corrections for many comparisons."""
