"""Experiments with several seeds, their stored results, and the ledger of claims."""

from optkit.studies.ledger import (
    Claim,
    Journal,
    MissingResult,
    ResultError,
    claim,
    claims,
    load,
    save,
    verdict,
)

__all__ = [
    "Claim",
    "Journal",
    "MissingResult",
    "ResultError",
    "claim",
    "claims",
    "load",
    "save",
    "verdict",
]
