"""The table of exposures: one row per file, with the columns of the official pool files.

A pool file is a text table, columns separated by `|`, `null` for what is not known (JWST documentation, "Associations":
Pools). A directory is scanned by primary headers alone.
"""

from jwrules.pool.scan import scan
from jwrules.pool.table import COLUMN_OF, COLUMNS, KEYWORD_OF, UNKNOWN, Pool, Row, candidates, read, write

__all__ = ["COLUMNS", "COLUMN_OF", "KEYWORD_OF", "UNKNOWN", "Pool", "Row", "candidates", "read", "scan", "write"]
