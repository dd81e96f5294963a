"""The engine of studies: declared once, run by any number of workers, resumed, stored with its hash."""

from optkit.studies.engine.conduct import StudyInterrupted, run
from optkit.studies.engine.declaration import SCORES, Arm, Budget, Choice, Data, Span, Study, as_json, digest
from optkit.studies.engine.result import arms, load, rows
from optkit.studies.engine.status import Status, status
from optkit.studies.engine.storage import StorageError
from optkit.studies.engine.summary import summary

__all__ = [
    "SCORES",
    "Arm",
    "Budget",
    "Choice",
    "Data",
    "Span",
    "Status",
    "StorageError",
    "Study",
    "StudyInterrupted",
    "arms",
    "as_json",
    "digest",
    "load",
    "rows",
    "run",
    "status",
    "summary",
]
