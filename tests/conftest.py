"""What every test may use: real servers. No property is judged by how long it takes."""

from hypothesis import settings

pytest_plugins = ["tests.stack"]

settings.register_profile("orderstream", deadline=None)
settings.load_profile("orderstream")
