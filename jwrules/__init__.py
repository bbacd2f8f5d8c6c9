"""The JWST calibration pipeline as declarative recipes and Snakemake rules."""

__version__ = "0.1.0"
