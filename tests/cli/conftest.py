"""The environment of CRDS, for tests."""

from crds_environment import at

__all__ = ["at"]
