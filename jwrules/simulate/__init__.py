"""Ramps and reference files with known truth; shares no kernel with the steps that it scores."""
