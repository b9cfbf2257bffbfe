from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import SegmentRow


class Segment(BaseModel):
    segment: Optional["SegmentSegment"]


class SegmentSegment(SegmentRow):
    description: Optional[str]
    updated_at: Optional[datetime] = Field(alias="updatedAt")


Segment.model_rebuild()
