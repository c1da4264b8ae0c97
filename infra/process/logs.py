"""Logging as every process has it: one JSON object a line on standard output."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

TALKATIVE = ("aiobotocore", "aiokafka", "boto3", "botocore")
"""Drivers whose DEBUG lines repeat what they send: an e-mail address, a hash."""
SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


class Named:
    """Adds the process's name to each line."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, _: object, __: str, line: EventDict) -> EventDict:
        return {"process": self._process, **line}


def configure(process: str, level: str = "INFO") -> None:
    """Sends structlog and the standard library's loggers through one JSON renderer.

    Each line carries the process's name and what structlog.contextvars hold at that moment.
    """
    render = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            Named(process),
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(render)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for driver in TALKATIVE:
        logging.getLogger(driver).setLevel("INFO" if level == "DEBUG" else level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
