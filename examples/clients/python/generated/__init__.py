from .async_base_client import AsyncBaseClient
from .base_model import BaseModel, Upload
from .client import SegmentsClient
from .create_segments import (
    CreateSegments,
    CreateSegmentsCreateSegments,
    CreateSegmentsCreateSegmentsSegments,
    CreateSegmentsCreateSegmentsUserErrors,
)
from .delete_segments import (
    DeleteSegments,
    DeleteSegmentsDeleteSegments,
    DeleteSegmentsDeleteSegmentsUserErrors,
)
from .enums import IfNameTaken, SegmentSortKey, UserErrorCode
from .exceptions import (
    GraphQLClientError,
    GraphQLClientGraphQLError,
    GraphQLClientGraphQLMultiError,
    GraphQLClientHttpError,
    GraphQLClientInvalidResponseError,
)
from .fragments import SegmentRow
from .input_types import (
    CreateSegmentsInput,
    DateTimeRange,
    DeleteSegmentsInput,
    NewSegment,
    SegmentChange,
    SegmentFilter,
    UpdateSegmentsInput,
)
from .segment import Segment, SegmentSegment
from .segments import (
    Segments,
    SegmentsSegments,
    SegmentsSegmentsNodes,
    SegmentsSegmentsPageInfo,
)
from .update_segments import (
    UpdateSegments,
    UpdateSegmentsUpdateSegments,
    UpdateSegmentsUpdateSegmentsUserErrors,
)

__all__ = [
    "AsyncBaseClient",
    "BaseModel",
    "CreateSegments",
    "CreateSegmentsCreateSegments",
    "CreateSegmentsCreateSegmentsSegments",
    "CreateSegmentsCreateSegmentsUserErrors",
    "CreateSegmentsInput",
    "DateTimeRange",
    "DeleteSegments",
    "DeleteSegmentsDeleteSegments",
    "DeleteSegmentsDeleteSegmentsUserErrors",
    "DeleteSegmentsInput",
    "GraphQLClientError",
    "GraphQLClientGraphQLError",
    "GraphQLClientGraphQLMultiError",
    "GraphQLClientHttpError",
    "GraphQLClientInvalidResponseError",
    "IfNameTaken",
    "NewSegment",
    "Segment",
    "SegmentChange",
    "SegmentFilter",
    "SegmentRow",
    "SegmentSegment",
    "SegmentSortKey",
    "Segments",
    "SegmentsClient",
    "SegmentsSegments",
    "SegmentsSegmentsNodes",
    "SegmentsSegmentsPageInfo",
    "UpdateSegments",
    "UpdateSegmentsInput",
    "UpdateSegmentsUpdateSegments",
    "UpdateSegmentsUpdateSegmentsUserErrors",
    "Upload",
    "UserErrorCode",
]
