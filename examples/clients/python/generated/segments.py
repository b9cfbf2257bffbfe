from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import SegmentRow


class Segments(BaseModel):
    segments: Optional["SegmentsSegments"]


class SegmentsSegments(BaseModel):
    total_count: int = Field(alias="totalCount")
    nodes: list[Optional["SegmentsSegmentsNodes"]]
    page_info: "SegmentsSegmentsPageInfo" = Field(alias="pageInfo")


SegmentsSegmentsNodes = SegmentRow


class SegmentsSegmentsPageInfo(BaseModel):
    start_cursor: Optional[str] = Field(alias="startCursor")
    end_cursor: Optional[str] = Field(alias="endCursor")
    has_previous_page: bool = Field(alias="hasPreviousPage")
    has_next_page: bool = Field(alias="hasNextPage")


Segments.model_rebuild()
SegmentsSegments.model_rebuild()
