from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class UpdateSegments(BaseModel):
    update_segments: Optional["UpdateSegmentsUpdateSegments"] = Field(
        alias="updateSegments"
    )


class UpdateSegmentsUpdateSegments(BaseModel):
    user_errors: list["UpdateSegmentsUpdateSegmentsUserErrors"] = Field(
        alias="userErrors"
    )


class UpdateSegmentsUpdateSegmentsUserErrors(BaseModel):
    message: str


UpdateSegments.model_rebuild()
UpdateSegmentsUpdateSegments.model_rebuild()
