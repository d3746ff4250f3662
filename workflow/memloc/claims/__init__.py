"""Statements about memorization, and a run's verdict on each.

A statement is a row of `registry.yaml`, which says in words what is claimed and how it is judged. Its
estimator is a function of one module of `estimators/` (one module per topic): it reads tables and returns a
value with an interval. `verdicts` turns both into a verdict. `statistics` holds the intervals and tests
that estimators and figures use.
"""
