"""Errors that a user can cause: by a config, a text, a model's folder or too little data.

The message says what is wrong and what to do. It is the last line of a failed job, whose log has the
traceback.
"""


class UserError(Exception):
    """An input of the user cannot be used; the message says what to do."""


class InputError(UserError, ValueError):
    """A value, or a consequence of it, cannot be used."""
