"""What can go wrong, said so that the reader knows the thing, the place, the value and the way out."""


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
