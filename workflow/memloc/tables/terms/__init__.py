"""Words that tables hold and that other code needs besides the schema: one file per stage.

The files import nothing, so that a word of one stage changes the code of no other. Words that only a schema
needs are in the schema.
"""
