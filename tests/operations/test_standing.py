"""How operations stand, by one statement: the same as table by table."""

import json

import pytest
from sqlalchemy import update

from lakebed.database.tables import progress
from lakebed.database.transaction import writing
from lakebed.errors import UnknownOperation
from lakebed.model.operation import OperationState
from lakebed.operations.bulletin import Bulletin, Progress, progress_of
from lakebed.operations.ledger import Ledger
from lakebed.operations.queue import Queue
from lakebed.operations.standing import standing
from lakebed.operations.submission import Submission
from tests.operations.conftest import REQUEST


def test_one_that_a_service_was_asked_for_has_all_three(ledger: Ledger) -> None:
    queue = Queue(ledger.engine, ledger.now)
    given = Submission("me", '{"id": "me"}', 5, batch="several", trace="00-a-b-01")
    (operation_id,) = queue.enqueue([(REQUEST, given)]).ids
    claim = queue.claim()
    assert claim is not None
    Bulletin(claim.lease, ledger.summary(operation_id)).ended(ledger.summary(operation_id))
    found = standing(ledger, operation_id)
    assert found.operation == ledger.get(operation_id)
    assert found.submission == given
    told = progress_of(ledger.engine, operation_id)
    assert told is not None
    assert found.progress == told[1]


def test_what_a_newer_replica_tells_is_read_as_far_as_it_is_known(ledger: Ledger) -> None:
    queue = Queue(ledger.engine, ledger.now)
    (operation_id,) = queue.enqueue([(REQUEST, Submission("me"))]).ids
    claim = queue.claim()
    assert claim is not None
    Bulletin(claim.lease, ledger.summary(operation_id)).ended(ledger.summary(operation_id))
    told = json.dumps({"done": 7, "last": True, "of_tomorrow": {"unknown": 1}})
    with writing(ledger.engine) as connection:
        connection.execute(update(progress).values(told=told))
    found = progress_of(ledger.engine, operation_id)
    assert found is not None
    assert found[1] == Progress(done=7, last=True)
    assert standing(ledger, operation_id).progress == found[1]


def test_one_of_the_command_line_has_none_of_a_service(ledger: Ledger) -> None:
    operation_id = ledger.create(REQUEST)
    found = standing(ledger, operation_id)
    assert (found.submission, found.progress) == (None, None)
    assert found.operation.state is OperationState.QUEUED


def test_it_is_found_by_the_beginning_of_its_id_and_in_lower_case(ledger: Ledger) -> None:
    operation_id = ledger.create(REQUEST)
    for asked in (operation_id[:12], operation_id.lower()):
        assert standing(ledger, asked).operation.id == operation_id


@pytest.mark.parametrize("asked", ["", "0", "0" * 16, "%" * 16])
def test_one_that_never_was_is_unknown(ledger: Ledger, asked: str) -> None:
    ledger.create(REQUEST)
    with pytest.raises(UnknownOperation):
        standing(ledger, asked)
