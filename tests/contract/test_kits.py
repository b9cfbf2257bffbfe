"""The kits for clients that lie in the repository are those of the schema."""

from kits import FOLDER, kits


def test_kits_are_those_of_the_schema() -> None:
    files = [path for path in FOLDER.iterdir() if path.suffix in {".js", ".json"}]
    written = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert written == kits(), "`make kits` writes them anew"
