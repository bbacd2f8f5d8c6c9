"""Data and reference files are searched for in the same way."""

from jwrules import below


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in below.files(folder))


def test_a_folder_that_two_links_lead_back_to_is_searched_once(tmp_path):
    (tmp_path / "file").touch()
    for name in ("a", "b"):
        (tmp_path / name).symlink_to(".")
    assert names(tmp_path) == ["file"]


def test_a_folder_is_found_by_its_own_place_rather_than_by_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    (tmp_path / "a").symlink_to("there")
    assert names(tmp_path) == ["there/file"]


def test_links_to_other_folders_are_followed_and_what_is_hidden_is_not(tmp_path):
    for place in ("elsewhere", "here", "here/.hidden"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "file").touch()
    (tmp_path / "here" / ".file").touch()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "here") == ["file", "link/file"]


def test_a_link_to_itself_is_found_as_a_file(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert names(tmp_path) == ["loop"]


def test_a_folder_that_cannot_be_searched_is_told(tmp_path):
    said = []
    assert not list(below.files(tmp_path / "gone", said.append))
    assert said[0].filename == str(tmp_path / "gone")
