"""Data products: what they are made of, and the only reading and writing of pixels."""
