"""How products were made: a record beside each, by which the plan knows whether it is up to date.

`contents` tells files apart by what they hold, `code` the programs that a stage runs; a `Record` says what a job was
made from and what it gave.
"""

from jwrules.records.contents import Contents, Stat, data_digest, digest, stat
from jwrules.records.record import Gave, Member, Record, digest_of, file_of, forget, place, read, write

__all__ = [
    "Contents",
    "Gave",
    "Member",
    "Record",
    "Stat",
    "data_digest",
    "digest",
    "digest_of",
    "file_of",
    "forget",
    "place",
    "read",
    "stat",
    "write",
]
