"""Catalogues and lists that users hand in as a path."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table

from jwrules.errors import DataFault
from jwrules.products import catalog


def test_columns_ra_and_dec_are_found_in_any_case(tmp_path):
    Table({"Ra": [10.0, 11.0], "dEC": [-5.0, -6.0]}).write(tmp_path / "gaia.ecsv")
    np.testing.assert_array_equal(catalog.positions(tmp_path / "gaia.ecsv"), [[10, -5], [11, -6]])


def test_hours_are_understood(tmp_path):
    QTable({"ra": [1.0] * u.hourangle, "dec": [30.0] * u.arcmin}).write(tmp_path / "gaia.ecsv")
    np.testing.assert_allclose(catalog.positions(tmp_path / "gaia.ecsv"), [[15.0, 0.5]])


def test_the_catalogue_of_an_earlier_mosaic_serves(tmp_path):
    QTable({"sky_centroid": SkyCoord([10.0], [-5.0], unit="deg")}).write(tmp_path / "x_cat.ecsv")
    np.testing.assert_allclose(catalog.positions(tmp_path / "x_cat.ecsv"), [[10.0, -5.0]])


def test_a_catalogue_without_positions_names_its_columns(tmp_path):
    Table({"x": [1], "y": [2]}).write(tmp_path / "stars.ecsv")
    with pytest.raises(DataFault, match="it has x, y"):
        catalog.positions(tmp_path / "stars.ecsv")


def test_a_catalogue_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataFault, match="nowhere"):
        catalog.positions(tmp_path / "nowhere.ecsv")


def test_a_file_that_is_no_table_is_named(tmp_path):
    (tmp_path / "words.ecsv").write_text("not a table at all")
    with pytest.raises(DataFault, match=r"words\.ecsv"):
        catalog.positions(tmp_path / "words.ecsv")


@pytest.mark.parametrize("line", ["a.fits", "a.fits one", "a.fits 1 2"])
def test_a_line_of_sky_levels_that_cannot_be_read_is_numbered(tmp_path, line):
    (tmp_path / "skies.txt").write_text(f"# comment\n{line}\n")
    with pytest.raises(DataFault, match="line 2"):
        catalog.sky_levels(tmp_path / "skies.txt")


def test_an_image_with_two_sky_levels_is_refused(tmp_path):
    (tmp_path / "skies.txt").write_text("a.fits 1\na.fits 2\n")
    with pytest.raises(DataFault, match="named twice"):
        catalog.sky_levels(tmp_path / "skies.txt")
