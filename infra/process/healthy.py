"""`python -m infra.process.healthy` exits with 0 if the process of this container is ready, else with 1.

It is asked every few seconds, beside each process, so it imports next to nothing.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

PATIENCE = 2  # s


def ready(port: int) -> bool:
    """Returns whether the admin server on this port of loopback says that its process is ready."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not ready(int(os.environ["ORDERSTREAM_ADMIN_PORT"])))
