"""What every test may use: real servers. No property is judged by how long it takes."""

import signal
import threading

from hypothesis import settings

pytest_plugins = ["tests.stack", "tests.faults.table"]

settings.register_profile("orderstream", deadline=None)
settings.load_profile("orderstream")

if threading.current_thread() is threading.main_thread():
    # Who runs the tests in the background may ignore Ctrl-C; what they start must not inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
