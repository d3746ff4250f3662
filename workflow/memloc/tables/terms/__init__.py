"""Words that tables hold and that more than their schema needs: one file per stage, which imports nothing.

A word of one stage therefore changes the code of no other. Words that a schema alone needs are in it.
"""
