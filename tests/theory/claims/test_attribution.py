"""Whose statement each row is: quoted words, what was added to them, and the rules under which a row may say `refuted`.

Where `FRAGILITY_PAPERS` names a folder with the papers' texts, every quote is looked up in its paper.
"""

import os
import re
from pathlib import Path

import pytest

from fragility.claim import FAULTS, FORMULA, LONGEST_QUOTE
from fragility.witness import hypotheses, stored
from tests.each import each
from theory.claims import BOOK

BY_ID = {claim.id: claim for claim in BOOK}
QUOTED = [claim for claim in BOOK if claim.status in ("printed", "unmet", *FAULTS)]
UNQUOTED = [claim for claim in BOOK if claim.status in ("corrected", "extension")]
FAILING = [claim for claim in BOOK if not claim.holds]
ENDINGS = {"refuted": "printed", "gap": "printed", "slip": "printed", "reading": "reading", "corrected": "corrected"}
TEXTS = {
    "fc": "feature_compression.txt",
    "joint": "non_singular_robustness.txt",
    "cond": "conditioning.txt",
    "latent": "latent_and_svd.txt",
    "norm": "convnorm_width.txt",
}
WITHIN = 700  # characters that a formula, or what is left out, may take


def plain(text):
    """Without line breaks, emphasis and the typographer's quotation marks."""
    for mark, replacement in {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "*": ""}.items():
        text = text.replace(mark, replacement)
    return re.sub(r"\s+", " ", text).strip()


def pieces(quote):
    return [piece for piece in map(str.strip, plain(quote.words).split(FORMULA)) if piece.strip(" .,;:()")]


def words(quote):
    return quote.words.replace(FORMULA, " ").split()


@each("claim", QUOTED)
def test_what_a_paper_says_is_quoted_and_read(claim):
    assert claim.quotes
    assert claim.reading
    assert not claim.credit
    for quote in claim.quotes:
        assert 1 <= len(words(quote)) <= LONGEST_QUOTE, quote
        assert quote.place


@each("claim", UNQUOTED)
def test_what_no_paper_says_is_not_quoted(claim):
    assert not claim.quotes
    assert not claim.reconstructed
    assert bool(claim.credit) == (claim.status == "extension")


@each("claim", BOOK)
def test_an_id_ends_as_its_status_says(claim):
    ending = "tempting" if claim.tempting else ENDINGS.get(claim.status, "")
    last = claim.id.rpartition(".")[2]
    assert (last if last in {*ENDINGS.values(), "tempting"} else "") == ending
    assert claim.status == "extension" or not claim.tempting


@each("claim", BOOK)
def test_formulas_that_are_lost_are_called_reconstructions(claim):
    assert claim.reconstructed == (bool(claim.quotes) and claim.id.startswith("fc."))


@each("claim", FAILING)
def test_what_fails_names_what_holds(claim):
    assert claim.instead
    assert all(BY_ID[name].holds for name in claim.instead)


@each("claim", [claim for claim in BOOK if claim.holds])
def test_what_holds_has_no_fault(claim):
    assert not any((claim.instead, claim.defect, claim.cause, claim.hypotheses, claim.argument))


@each("claim", [claim for claim in BOOK if claim.status == "unmet"])
def test_what_is_unmet_is_unmet_by_trained_networks_and_says_how_far(claim):
    assert claim.study.startswith("empirical.")
    assert claim.kind == "majority"
    assert claim.note


@each("claim", [claim for claim in BOOK if claim.status == "corrected"])
def test_what_is_corrected_failed(claim):
    assert any(claim.id in other.instead for other in FAILING)


@each("claim", FAILING)
def test_a_fault_is_counted_once(claim):
    """By a sentence of its own, or with another row that fails for the same reason; what nobody says is no defect."""
    assert bool(claim.defect) + bool(claim.cause) == (claim.status in FAULTS)
    if claim.cause:
        head = BY_ID[claim.cause]
        assert head.defect
        assert FAULTS.index(head.status) <= FAULTS.index(claim.status)


@each("claim", FAILING)
def test_its_witness_meets_the_hypotheses(claim):
    met = hypotheses(claim, BOOK.witnesses)
    assert met
    assert all(met.values()), met
    assert stored(claim.id, BOOK.witnesses) is not None


@each("claim", [claim for claim in FAILING if "constant" in claim.says])
def test_that_there_is_a_constant_is_refuted_for_every_constant(claim):
    assert claim.argument


def quoted(holding):
    """Each quote of rows that hold, or of those that fail, with the row."""
    return [(claim, quote) for claim in QUOTED for quote in claim.quotes if claim.holds == holding]


def paper(claim):
    return claim.id.split(".")[0]


def test_no_sentence_is_scored_twice():
    """None is quoted as true in one row and as false in another: neither quote has all the pieces of the other."""
    for true, words_of_true in quoted(True):
        for false, words_of_false in quoted(False):
            if paper(true) == paper(false):
                here, there = pieces(words_of_true), pieces(words_of_false)
                assert not all(any(one in other for other in there) for one in here), (true.id, false.id)
                assert not all(any(one in other for other in here) for one in there), (true.id, false.id)


def folder():
    return Path(os.environ["FRAGILITY_PAPERS"]) if os.environ.get("FRAGILITY_PAPERS") else None


def text_of(claim):
    return plain((folder() / TEXTS[paper(claim)]).read_text("utf-8"))


def places(quote, text):
    """Where all pieces of a quote stand one after another, as near as they come: start and end of each such place."""
    first, *others = pieces(quote)
    found = {}
    for match in re.finditer(re.escape(first), text):
        end = match.end()
        for piece in others:
            at = text.find(piece, end)
            if not 0 <= at - end <= WITHIN:
                break
            end = at + len(piece)
        else:
            found[end] = match.start()  # of two that end alike the later, and shorter, one
    return [(start, end) for end, start in found.items()]


needs_papers = pytest.mark.skipif(
    folder() is None, reason="needs the papers' texts: point FRAGILITY_PAPERS at their folder"
)


@needs_papers
@each("claim", QUOTED)
def test_the_words_are_the_papers(claim):
    for quote in claim.quotes:
        assert places(quote, text_of(claim)), quote


@needs_papers
def test_no_place_is_scored_twice():
    """As above, by where the words stand: what is quoted as true overlaps with nothing that is quoted as false."""
    spans = {
        holding: [(claim, places(quote, text_of(claim))) for claim, quote in quoted(holding)] for holding in (0, 1)
    }
    for true, here in spans[True]:
        for false, there in spans[False]:
            if paper(true) == paper(false):
                assert not any(a < d and c < b for a, b in here for c, d in there), (true.id, false.id)
