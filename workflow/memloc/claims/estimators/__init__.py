"""Estimators of the claims, one module per topic of the registry.

An estimator is called with the topic's tables, the settings of the study and the claim's arguments, and
returns an `Estimate`: larger values support the claim.
"""
