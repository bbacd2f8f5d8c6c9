"""What a job is, whatever its members hold: its options, references, members by name, association, code."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath

from jwrules.plan.rows import Job


def of(job: Job, code: str) -> str:
    """Return the identity of a job whose stage has this version of its code (records.Code)."""
    said = {
        "stage": job.stage,
        "name": job.name,
        "gives": job.gives,
        "steps": job.steps,
        "references": {kind: [one.name, one.sha256] for kind, one in sorted(job.references.items())},
        "members": [[role, PurePath(path).name] for role, path in job.members],
        "association": [PurePath(job.association).name, job.acid, job.pool],
        "code": code,
        **({"given": job.given_sha256} if job.given_sha256 else {}),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
