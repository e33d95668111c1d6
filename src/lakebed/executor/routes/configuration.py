"""What a replica is configured with, and was: `/api/v1/configuration`. It writes no file."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import JsonValue

from lakebed.access.permission import Permission
from lakebed.api.configuration import (
    ConfigurationFinding,
    ConfigurationHistory,
    ConfigurationProposal,
    ConfigurationRefusal,
    ConfigurationStatus,
    ConfigurationValue,
    ConfigurationVerdict,
    ConfigurationVersion,
)
from lakebed.configurations.effective import canonical, contents, fingerprint
from lakebed.configurations.history import History, Version
from lakebed.executor.callers import At, Known, Who
from lakebed.executor.reload import InForce, Refusal, Reloader, reloader_of
from lakebed.settings.check import check_layers
from lakebed.settings.file import FILE_NAME, File, beside, parsed
from lakebed.settings.finding import Finding, Unreadable
from lakebed.settings.layers import Layers
from lakebed.settings.schema import schema

PREFIX = "/api/v1/configuration"
MOST_FINDINGS = 100
router = APIRouter(prefix=PREFIX, tags=["configuration"], route_class=Known)
Reloading = Annotated[Reloader, Depends(reloader_of)]


@router.get("")
async def configuration(who: Who, at: At, reloader: Reloading) -> ConfigurationStatus:
    """The configuration in force, without secrets, and what became of the newest change."""
    who.check(Permission.CONFIGURATION_READ)
    return await at.do(lambda: _status(reloader.in_force, reloader.refused))


@router.get("/schema")
async def json_schema(who: Who) -> dict[str, JsonValue]:
    """The JSON Schema of the files."""
    who.check(Permission.CONFIGURATION_READ)
    return schema()


@router.get("/history")
async def history(
    who: Who,
    at: At,
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 50,
    before: Annotated[
        int | None, Query(ge=1, le=2**53, description="The `next` of a page before.")
    ] = None,
) -> ConfigurationHistory:
    """The versions that services have loaded, the newest first."""
    who.check(Permission.CONFIGURATION_READ)
    recorded = History(at.platform.ledger.engine)
    found = await at.do(lambda: recorded.versions(limit, before))
    following = found[-1].number if len(found) == limit and found[-1].number > 1 else None
    return ConfigurationHistory(versions=[_version(one) for one in found], next=following)


@router.post("/check")
async def check(
    proposal: ConfigurationProposal, who: Who, at: At, reloader: Reloading
) -> ConfigurationVerdict:
    """Say all that is wrong in files that are proposed. Nothing is written, no secret is read."""
    who.check(Permission.CONFIGURATION_WRITE)
    findings = await at.do(lambda: _findings(proposal, reloader))
    errors = any(finding.level == "error" for finding in findings)
    return ConfigurationVerdict(valid=not errors, findings=_told(findings[:MOST_FINDINGS]))


def _findings(proposal: ConfigurationProposal, now: Reloader) -> list[Finding]:
    base = now.sources.place()[0] if now.sources else Path.cwd() / FILE_NAME
    texts = {base: proposal.text}
    if proposal.environment:
        texts[beside(base, proposal.environment)] = proposal.environment_text
    files: list[File] = []
    findings: list[Finding] = []
    for path, text in texts.items():
        try:
            files.append(parsed(path, text))
        except Unreadable as error:
            findings.append(error.finding)
    if findings:
        return findings
    verdict = check_layers(Layers(tuple(files), now.in_force.layers.environ, proposal.environment))
    return sorted(verdict.findings, key=lambda finding: finding.level)


def _status(now: InForce, refused: Refusal | None) -> ConfigurationStatus:
    values = now.values()
    return ConfigurationStatus(
        environment=now.layers.environment,
        version=now.version.number if now.version else None,
        sha256=now.version.sha256 if now.version else fingerprint(canonical(contents(values))),
        since=_moment(now.at),
        files=[str(file.path) for file in now.layers.files],
        values=[
            ConfigurationValue(key=one.key, value=one.value, source=one.origin) for one in values
        ],
        restart=list(now.restart),
        refused=_refusal(refused),
        unrecorded=now.unrecorded or None,
    )


def _refusal(refused: Refusal | None) -> ConfigurationRefusal | None:
    if refused is None:
        return None
    return ConfigurationRefusal(
        at=_moment(refused.at), findings=_told(refused.findings[:MOST_FINDINGS])
    )


def _told(findings: Iterable[Finding]) -> list[ConfigurationFinding]:
    return [ConfigurationFinding.model_validate(asdict(finding)) for finding in findings]


def _version(version: Version) -> ConfigurationVersion:
    return ConfigurationVersion(
        version=version.number,
        loaded=_moment(version.at),
        author=version.author,
        environment=version.environment,
        sha256=version.sha256,
        files=list(version.files),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
