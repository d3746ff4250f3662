"""What every deviation from the authors' code does to a study: numbers with and without it.

After `make reproduce`,

    PYTHONPATH=workflow:docs .venv/bin/python -m deviations

reads results/mini and writes the last column of the table of deviations in docs/methods.md. What the study's
tables hold is read from them. The rest is computed from its trained model, in a few minutes.
"""
