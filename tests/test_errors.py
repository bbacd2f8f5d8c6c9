"""A word that is not known is told with the one that was probably meant."""

from jwrules.errors import did_you_mean, nearest


def test_the_nearest_word_is_suggested():
    assert nearest("sciance", ("background", "science")) == "science"
    assert did_you_mean("sciance", {"background": 1, "science": 2}) == "; did you mean 'science'?"


def test_where_none_is_near_nothing_is_suggested():
    assert (nearest("xyz", ("science",)), did_you_mean("xyz", ())) == ("", "")
