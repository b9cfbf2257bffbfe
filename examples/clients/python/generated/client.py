from typing import Any, Optional, Union

from .async_base_client import AsyncBaseClient
from .base_model import UNSET, UnsetType
from .create_segments import CreateSegments
from .delete_segments import DeleteSegments
from .enums import SegmentSortKey
from .input_types import (
    CreateSegmentsInput,
    DeleteSegmentsInput,
    SegmentFilter,
    UpdateSegmentsInput,
)
from .segment import Segment
from .segments import Segments
from .update_segments import UpdateSegments


def gql(q: str) -> str:
    return q


class SegmentsClient(AsyncBaseClient):
    async def segments(
        self,
        first: Union[Optional[int], UnsetType] = UNSET,
        after: Union[Optional[str], UnsetType] = UNSET,
        last: Union[Optional[int], UnsetType] = UNSET,
        before: Union[Optional[str], UnsetType] = UNSET,
        filter_: Union[Optional[SegmentFilter], UnsetType] = UNSET,
        sort_key: Union[Optional[SegmentSortKey], UnsetType] = UNSET,
        reverse: Union[Optional[bool], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Segments:
        query = gql("""
            query Segments($first: Int, $after: String, $last: Int, $before: String, $filter: SegmentFilter, $sortKey: SegmentSortKey, $reverse: Boolean) {
              segments(
                first: $first
                after: $after
                last: $last
                before: $before
                filter: $filter
                sortKey: $sortKey
                reverse: $reverse
              ) {
                totalCount
                nodes {
                  ...SegmentRow
                }
                pageInfo {
                  startCursor
                  endCursor
                  hasPreviousPage
                  hasNextPage
                }
              }
            }

            fragment SegmentRow on Segment {
              id
              name
              createdAt
            }
            """)
        variables: dict[str, object] = {
            "first": first,
            "after": after,
            "last": last,
            "before": before,
            "filter": filter_,
            "sortKey": sort_key,
            "reverse": reverse,
        }
        response = await self.execute(
            query=query, operation_name="Segments", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Segments.model_validate(data)

    async def segment(self, id: str, **kwargs: Any) -> Segment:
        query = gql("""
            query Segment($id: ID!) {
              segment(id: $id) {
                ...SegmentRow
                description
                updatedAt
              }
            }

            fragment SegmentRow on Segment {
              id
              name
              createdAt
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="Segment", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Segment.model_validate(data)

    async def create_segments(
        self, input: CreateSegmentsInput, **kwargs: Any
    ) -> CreateSegments:
        query = gql("""
            mutation CreateSegments($input: CreateSegmentsInput!) {
              createSegments(input: $input) {
                segments {
                  ...SegmentRow
                }
                userErrors {
                  field
                  message
                  code
                }
              }
            }

            fragment SegmentRow on Segment {
              id
              name
              createdAt
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="CreateSegments", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CreateSegments.model_validate(data)

    async def update_segments(
        self, input: UpdateSegmentsInput, **kwargs: Any
    ) -> UpdateSegments:
        query = gql("""
            mutation UpdateSegments($input: UpdateSegmentsInput!) {
              updateSegments(input: $input) {
                userErrors {
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="UpdateSegments", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return UpdateSegments.model_validate(data)

    async def delete_segments(
        self, input: DeleteSegmentsInput, **kwargs: Any
    ) -> DeleteSegments:
        query = gql("""
            mutation DeleteSegments($input: DeleteSegmentsInput!) {
              deleteSegments(input: $input) {
                deletedSegmentIds
                userErrors {
                  message
                }
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="DeleteSegments", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DeleteSegments.model_validate(data)
