"""The bench of the audit, too small to measure anything: what it makes is right, and it prints its line."""

from bench.audit import audit


def test_what_the_bench_makes_is_right() -> None:
    (figure,) = audit(orders=300)
    assert figure.what.startswith("audit of ")
    assert figure.value > 0
