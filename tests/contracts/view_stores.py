"""The stores that the contract of views is tried on, by name."""

import pytest

REAL = [pytest.param(name, marks=pytest.mark.stack) for name in ("live", "history")]
KEEPING_ALL = ["memory history", REAL[1]]
KEEPING_NEW = ["memory live", REAL[0]]

every = pytest.mark.parametrize("store", [*KEEPING_NEW, *KEEPING_ALL], indirect=True)
keeping_new = pytest.mark.parametrize("store", KEEPING_NEW, indirect=True)
keeping_all = pytest.mark.parametrize("store", KEEPING_ALL, indirect=True)
