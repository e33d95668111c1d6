"""Large objects: read and sent at once, in the parts of one multipart upload, a few MiB held."""

from lakebed.model.operation import Lane
from lakebed.transfer.lanes.moved import Moved, attributes_of, listed_head
from lakebed.transfer.lanes.multipart import upload
from lakebed.transfer.pipe import DEPTH, Ranged
from lakebed.transfer.sides import Job, Sides


def move(sides: Sides, job: Job) -> Moved:
    with sides.budget.reserve(DEPTH):
        attributes = attributes_of(sides, job, listed_head(sides, job))
        written, proof, sha256 = upload(
            sides, job, attributes, lambda span: Ranged(sides, job, span)
        )
    return Moved(Lane.STREAM, proof, written.etag, sha256)
