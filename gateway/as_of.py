"""What moment of the log an answer shows."""

from pydantic import BaseModel, Field

from infra.views.port import AsOf

from .times import Timestamp


class AsOfView(BaseModel):
    """time: of the newest record shown; position: by topic, the next offset to be shown."""

    time: Timestamp | None
    position: str = Field(examples=["b:7,o:12,p:3"])


def shown(as_of: AsOf) -> AsOfView:
    return AsOfView(time=as_of.time or None, position=str(as_of))
