"""Estimators of the claims, one module per topic of the registry.

An estimator is called with the topic's tables, the settings of the study and the claim's arguments. It
returns `Evidence`, or what is judged over trainings; larger values support the claim.
"""
