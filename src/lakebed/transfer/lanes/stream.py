"""Large objects: read and sent at once, in the parts of one multipart upload, a few MiB held."""

from lakebed.errors import SourceChanged
from lakebed.model.operation import Lane
from lakebed.transfer.lanes.moved import Moved, attributes_of, pinned
from lakebed.transfer.lanes.multipart import upload
from lakebed.transfer.pipe import DEPTH, Ranged
from lakebed.transfer.sides import Job, Sides


def move(sides: Sides, job: Job) -> Moved:
    source = sides.source
    with sides.budget.reserve(DEPTH):
        with pinned(job.source.key):
            head = source.store.head(source.bucket, job.source.key)
        if head.etag != job.source.etag:
            raise SourceChanged(
                f"the source changed since it was listed: it is now {head.etag}",
                subject=job.source.key,
                advice="run again, or see --on-change",
            )
        attributes = attributes_of(sides, job, head)
        written, proof, sha256 = upload(
            sides, job, attributes, lambda span: Ranged(sides, job, span)
        )
    return Moved(Lane.STREAM, proof, written.etag, sha256)
