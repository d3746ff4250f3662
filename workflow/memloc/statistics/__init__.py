"""The one place of statistics: means, shares, differences, their intervals, many comparisons."""
