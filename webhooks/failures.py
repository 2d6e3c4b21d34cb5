"""How a failure of our own stands in the log: where and of what kind, never with what.

An exception's message may quote the number that could not be read or the word that
could not be written; its place in our code cannot.
"""

import traceback


def told(error: BaseException) -> str:
    """Return the kind of ``error`` and the lines of code it went through, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in frames)
    return f"{type(error).__name__} in {places}"
