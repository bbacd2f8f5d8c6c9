"""What can go wrong, said so that the reader knows the thing, the place, the value and the way out."""

from collections.abc import Iterable
from difflib import get_close_matches


class JwrulesError(Exception):
    """Base of every error that is the user's to mend; the command line prints it without a traceback."""


class NameFault(JwrulesError):
    """A file name that does not follow the grammar, with the position of the fault."""


class HeaderFault(JwrulesError):
    """A file whose header cannot be read, or lacks or misspells a keyword."""


class RecipeFault(JwrulesError):
    """One or more faults in a recipe, run file or option, each with its path and the nearest right name."""


class ReferenceFault(JwrulesError):
    """No reference file, or several equally good ones, or one that cannot serve."""


class DataFault(JwrulesError):
    """A science file whose content contradicts its header, or is damaged."""


class CannotRun(JwrulesError):
    """A step that ought to run and cannot; it stops the product unless the recipe says otherwise."""


class WorkflowFault(JwrulesError):
    """The run as a whole cannot start or did not finish."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return that of the known words which was probably meant, '' where none is near."""
    return next(iter(get_close_matches(word, list(known), 1)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return '; did you mean ...?' with the nearest of the known words, '' where none is near."""
    near = nearest(word, known)
    return f"; did you mean '{near}'?" if near else ""
