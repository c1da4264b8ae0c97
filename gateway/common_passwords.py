"""Passwords that everybody tries first: those of the 10,000 most used that have eight characters or more.

The list beside this file, most used first, is zxcvbn's (MIT).
"""

from pathlib import Path

COMMON = frozenset(Path(__file__).with_suffix(".txt").read_text(encoding="ascii").splitlines())


def too_common(password: str, username: str) -> bool:
    """Returns whether it is on the list or the user's own name, in any case."""
    return password.lower() in COMMON or password.lower() == username.lower()
