"""Errors that a user can cause: by a config, a text, a model's folder or too little data. The message says
what is wrong and what to do. It is the last line of a failed job; the traceback is in its log.
"""


class UserError(Exception):
    """Something that the user gave cannot be used; the message says what to do."""


class InputError(UserError, ValueError):
    """A value, or what follows from it, cannot be used."""
