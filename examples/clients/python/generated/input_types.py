from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import IfNameTaken


class SegmentFilter(BaseModel):
    """Which segments are kept: those that meet all conditions."""

    name_contains: Optional[str] = Field(alias="nameContains", default=None)
    "A part of the name. Case, accents, and space around it do not count; an empty one keeps all segments."
    created_at: Optional["DateTimeRange"] = Field(alias="createdAt", default=None)
    "When the segment was created. A segment without a date is in no range."
    updated_at: Optional["DateTimeRange"] = Field(alias="updatedAt", default=None)
    "When the segment was last changed. A segment without a date is in no range."


class DateTimeRange(BaseModel):
    """A range of times. One end can be left out. It is empty if `from` is not before `to`."""

    from_: Optional[datetime] = Field(alias="from", default=None)
    "The first time in the range."
    to: Optional[datetime] = None
    "The first time behind the range."


class CreateSegmentsInput(BaseModel):
    """The segments to create."""

    segments: list["NewSegment"]
    "The segments: 1 to 250."
    if_name_taken: Optional[IfNameTaken] = Field(
        alias="ifNameTaken", default=IfNameTaken.ERROR
    )
    "What to do with a name that is taken."


class NewSegment(BaseModel):
    """A segment to create."""

    name: str
    "The name, unique in the store. Spaces around it are removed."
    description: Optional[str] = None
    "The description."


class UpdateSegmentsInput(BaseModel):
    """The segments to change."""

    segments: list["SegmentChange"]
    "The changes: 1 to 250."


class SegmentChange(BaseModel):
    """A segment, by exactly one of its two ids, and what changes. What is left out stays as it is."""

    id: Optional[str] = None
    "The global id."
    entity_id: Optional[str] = Field(alias="entityId", default=None)
    "BigCommerce's uuid, in place of `id`."
    name: Optional[str] = None
    "The new name. It cannot be null."
    description: Optional[str] = None
    "The new description; null removes it."


class DeleteSegmentsInput(BaseModel):
    """The segments to delete, by either id: 1 to 250 together."""

    ids: Optional[list[str]] = None
    "Global ids."
    entity_ids: Optional[list[str]] = Field(alias="entityIds", default=None)
    "BigCommerce's uuids."


SegmentFilter.model_rebuild()
CreateSegmentsInput.model_rebuild()
UpdateSegmentsInput.model_rebuild()
