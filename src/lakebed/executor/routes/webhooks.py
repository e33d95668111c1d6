"""What a receiver of notifications needs: `/api/v1/webhooks`."""

from fastapi import APIRouter, Response

from lakebed.api.answers import WebhookSecret
from lakebed.executor.callers import At, Who
from lakebed.executor.webhooks.signing import shown

router = APIRouter(tags=["webhooks"])


@router.get("/api/v1/webhooks/secret")
async def secret(who: Who, at: At, response: Response) -> WebhookSecret:
    """What the caller's own notifications are signed with."""
    response.headers["Cache-Control"] = "no-store"
    return WebhookSecret(secret=shown(at.courier.secret_of(who.id)))
