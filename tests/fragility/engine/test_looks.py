"""Looks: counted once, by everybody who runs in one folder, and never forgotten without a word."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fragility.engine.files import DamagedRecordError, StorageError
from fragility.engine.looks import FILE, Looks


def test_looks_are_counted_in_their_order_and_the_same_draws_once(tmp_path):
    looks = Looks(tmp_path)
    assert [looks.look("a", 100), looks.look("a", 800), looks.look("b", 800), looks.look("a", 100)] == [1, 2, 1, 1]
    assert (looks.of("a"), looks.of("b"), looks.of("c")) == ([100, 800], [800], [])
    again = Looks(tmp_path)
    assert (again.of("a"), again.look("a", 900), again.look("a", 800)) == ([100, 800], 3, 2)


def test_two_that_run_at_once_go_on_from_each_others(tmp_path):
    first, second = Looks(tmp_path), Looks(tmp_path)
    assert first.look("a", 100) == 1
    assert second.look("a", 150) == 2
    assert first.look("a", 200) == 3
    assert second.look("a", 100) == 1


def test_of_many_at_once_none_is_lost(tmp_path):
    everybody = [Looks(tmp_path) for _ in range(8)]

    def spend(k):
        return [everybody[k].look("a", 1000 * k + draw) for draw in range(1, 26)]

    with ThreadPoolExecutor(8) as pool:
        numbers = [number for found in pool.map(spend, range(8)) for number in found]
    assert sorted(numbers) == list(range(1, 201))
    assert len(Looks(tmp_path).of("a")) == 200


def test_a_line_that_a_kill_has_cut_is_a_look_that_was_never_taken(tmp_path):
    Looks(tmp_path).look("a", 100)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole + b'{"what": "a", "sam')
    looks = Looks(tmp_path)
    assert looks.of("a") == [100]
    assert looks.look("a", 200) == 2
    assert Looks(tmp_path).of("a") == [100, 200]


LINES = [b"x", b"7", b"[]", b"null", b"{}", b'{"what": "a"}', b"\xff\xfe", b"[" * 100_000]
LINES += [
    json.dumps({"what": what, "samples": samples}).encode()
    for what, samples in (("a", 0), ("a", -5), ("a", 1.5), ("a", "9"), ("a", True), ("a", None), (7, 7), (None, 7))
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:30].decode(errors="replace"))
def test_a_line_that_is_no_look_ends_a_run_and_is_made_blank_with_a_word(tmp_path, line):
    path = tmp_path / FILE
    Looks(tmp_path).look("a", 100)
    path.write_bytes(line + b"\n" + path.read_bytes() + line + b"\n")
    with pytest.raises(DamagedRecordError, match=r"looks\.jsonl is damaged \(2 lines that are no looks\): --resume"):
        Looks(tmp_path)
    said, size = [], path.stat().st_size
    looks = Looks(tmp_path, said.append)
    assert len(said) == 1
    assert "what they spent of the error rate is lost" in said[0]
    assert path.stat().st_size == size
    assert looks.look("a", 200) == 2
    assert Looks(tmp_path).of("a") == [100, 200]


def test_a_folder_in_its_place_or_one_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "run" / FILE).mkdir(parents=True)
    with pytest.raises(DamagedRecordError, match=r"looks\.jsonl is damaged \(Is a directory\)"):
        Looks(tmp_path / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="must be writable, got: Not a directory"):
        Looks(tmp_path / "file" / "run").begin()
