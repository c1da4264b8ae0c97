"""What every test may use: real servers."""

pytest_plugins = ["tests.stack"]
