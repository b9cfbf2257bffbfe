from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class DeleteSegments(BaseModel):
    delete_segments: Optional["DeleteSegmentsDeleteSegments"] = Field(
        alias="deleteSegments"
    )


class DeleteSegmentsDeleteSegments(BaseModel):
    deleted_segment_ids: list[str] = Field(alias="deletedSegmentIds")
    user_errors: list["DeleteSegmentsDeleteSegmentsUserErrors"] = Field(
        alias="userErrors"
    )


class DeleteSegmentsDeleteSegmentsUserErrors(BaseModel):
    message: str


DeleteSegments.model_rebuild()
DeleteSegmentsDeleteSegments.model_rebuild()
