"""Stages: open the files, run the recipe's chain of steps, write."""
