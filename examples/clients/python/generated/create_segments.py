from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import UserErrorCode
from .fragments import SegmentRow


class CreateSegments(BaseModel):
    create_segments: Optional["CreateSegmentsCreateSegments"] = Field(
        alias="createSegments"
    )


class CreateSegmentsCreateSegments(BaseModel):
    segments: list["CreateSegmentsCreateSegmentsSegments"]
    user_errors: list["CreateSegmentsCreateSegmentsUserErrors"] = Field(
        alias="userErrors"
    )


CreateSegmentsCreateSegmentsSegments = SegmentRow


class CreateSegmentsCreateSegmentsUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: UserErrorCode


CreateSegments.model_rebuild()
CreateSegmentsCreateSegments.model_rebuild()
