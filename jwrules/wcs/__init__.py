"""Pixels, sky and wavelength: the only place with coordinate transforms."""
