"""A server that a process depends on is away: the one fault of stores and log that a caller handles."""


class Unavailable(Exception):
    """No answer in time, or an answer that says so. component: the server's name, as readiness shows it."""

    def __init__(self, component: str) -> None:
        super().__init__(component)
        self.component = component
