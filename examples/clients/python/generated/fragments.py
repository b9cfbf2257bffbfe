from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class SegmentRow(BaseModel):
    id: str
    name: Optional[str]
    created_at: Optional[datetime] = Field(alias="createdAt")


SegmentRow.model_rebuild()
