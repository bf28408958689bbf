"""Every row of the table resolves: what it names exists, and its theory and decoys are what its kind says."""

from collections.abc import Sequence
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules

import numpy as np
import pytest
from latex2mathml.converter import convert
from scipy import integrate

import theory.claims
from fragility.catalogue import places
from fragility.claim import BESIDE, Rate, Reported
from fragility.engine.shard import find_study
from fragility.judging.kinds.reported import difference
from fragility.law import Law, Moment
from tests.each import each
from theory.claims import BOOK

HERE = {"dataset": ["digits"], "images": [100]}  # of experiments on images: those that come with scikit-learn


def points(claim):
    """Where the whole table, or the study's own command, judges it; a rate names its sizes itself."""
    if claim.kind == "rate":
        return [{}]
    study = find_study(claim.study)
    judged = study.table or study.points(**{name: HERE.get(name, axis.default) for name, axis in study.grid.items()})
    return [point for point in judged if claim.where(**point)]


def laws(theory):
    return theory if isinstance(theory, Sequence) else (theory,)


def fingerprint(theory):
    """What tells two theories of one kind apart."""
    match theory:
        case Moment():
            return theory
        case Rate():
            return theory.exponent
        case _:
            return tuple(float(law.ppf(q)) for law in laws(theory) for q in (0.1, 0.5, 0.9))


def test_a_claim_names_its_study_by_room_and_name():
    for claim in BOOK:
        assert not claim.study or find_study(claim.study).name == claim.study, claim.id


FOLDERS = {
    folder.name: import_module(f"theory.claims.{folder.name}") for folder in iter_modules(theory.claims.__path__)
}


def test_a_folder_per_paper_is_named_like_the_first_part_of_its_ids():
    for name, folder in FOLDERS.items():
        assert {claim.id.partition(".")[0] for claim in folder.CLAIMS} == {name}


def test_no_file_of_rows_is_left_out():
    files = [
        import_module(f"{folder.__name__}.{file.name}")
        for folder in FOLDERS.values()
        for file in iter_modules(folder.__path__)
    ]
    ids = [claim.id for file in files for claim in getattr(file, "CLAIMS", ())]
    assert sorted(ids) == sorted(claim.id for claim in BOOK)


def test_an_id_stands_whole_in_a_file_of_its_paper():
    for claim in BOOK:
        assert (place := BOOK.place(claim.id)), claim.id
        assert place[0].parent.name == claim.id.partition(".")[0]


def test_only_relations_have_spaces():
    assert all(claim.is_relation for claim in BOOK if claim.space)


@each("claim", BOOK)
def test_it_says_what_where_and_how_sharply(claim):
    assert all((claim.source, claim.says, claim.domain))
    assert claim.tolerance > 0


@each("claim", BOOK)
def test_its_formula_renders(claim):
    assert claim.formula
    assert "$" not in claim.formula
    rendered = convert(claim.formula)
    assert "\\" not in rendered
    assert "merror" not in rendered


@each("claim", BOOK)
def test_its_code_is_one_step_away(claim):
    module, name, line = places.implementation(claim)
    assert module.split(".")[0] == "theory"
    assert "<lambda>" not in name
    assert line > 0


@each("claim", BOOK)
def test_its_theory_is_of_its_kind(claim):
    match claim.kind:
        case "bound" | "identity" | "majority":
            return  # their sides are looked at in random worlds, or in records
        case "reported":
            assert isinstance(claim.theory(), Reported)
            return
    assert points(claim)
    for point in points(claim):
        theory = claim.theory(**point)
        match claim.kind:
            case "moment":
                assert isinstance(theory, Moment)
                assert theory.sd > 0
            case "rate":
                assert isinstance(theory, Rate)
                assert np.isfinite(theory.exponent)
            case "law":
                assert all(isinstance(law, Law) for law in laws(theory))
                assert all(
                    0 < law.cdf(law.median() if law.mean() == np.inf else law.mean()) < 1 for law in laws(theory)
                )


DRAWN = [claim for claim in BOOK if claim.kind in ("law", "moment")]


@each("claim", DRAWN)
def test_its_statistic_is_measured_by_a_blind_method(claim):
    methods = find_study(claim.study).methods.values()
    assert points(claim)
    for point in points(claim):
        offered = [method.statistics(**point) for method in methods if method.blind and not method.obstacle(**point)]
        assert any(claim.statistic in names for names in offered), point


RECORDED = [claim for claim in BOOK if claim.of_records or (claim.kind == "reported" and claim.study)]


@each("claim", RECORDED)
def test_a_study_describes_the_columns_that_it_and_its_decoys_speak_of(claim):
    described = {name for method in find_study(claim.study).methods.values() for name in method.statistics()}
    assert claim.columns
    assert set(claim.columns) <= described
    if claim.of_records:
        for decoy in claim.decoys:
            assert {name.removesuffix(BESIDE) for name in signature(decoy.theory).parameters} <= described, decoy.says


@each("claim", [claim for claim in BOOK if claim.kind == "reported"])
def test_a_printed_number_is_judged_by_a_study_and_a_statistic_or_by_neither(claim):
    assert bool(claim.study) == bool(claim.statistic) == bool(claim.decoys)


SWEPT = [claim for claim in BOOK if claim.kind == "rate" and claim.study]


@each("claim", SWEPT)
def test_a_rate_is_measured_at_every_size_by_one_method(claim):
    methods, rate = find_study(claim.study).methods.values(), claim.theory()
    assert len(rate.sizes) >= 3
    assert any(
        all(
            not way.obstacle(**rate.at(size)) and claim.statistic in way.statistics(**rate.at(size))
            for size in rate.sizes
        )
        for way in methods
    )


@each("claim", [claim for claim in RECORDED if claim.holds])
def test_what_is_said_of_records_ships_decoys_that_differ_from_it(claim):
    assert claim.decoys
    assert all(decoy.theory is not claim.theory for decoy in claim.decoys)
    if claim.kind == "reported":
        assert all(difference(claim.theory(), decoy.theory()) >= claim.tolerance for decoy in claim.decoys)


TOLD = [claim for claim in BOOK if claim.kind in ("law", "moment", "rate") and claim.holds]


@each("claim", TOLD)
def test_it_ships_decoys_that_differ_from_it(claim):
    assert claim.decoys
    for decoy in claim.decoys:
        shown = [point for point in points(claim) if decoy.where(**point)]
        assert any(fingerprint(decoy.theory(**point)) != fingerprint(claim.theory(**point)) for point in shown), (
            decoy.says
        )


RATES = [claim for claim in BOOK if claim.kind == "rate" and claim.holds]


@pytest.mark.parametrize("claim", RATES, ids=lambda claim: claim.id)
def test_a_rate_is_the_slope_of_the_exact_law(claim):
    for point in points(claim):
        slope = claim.theory(**point).slope()
        assert abs(slope - claim.theory(**point).exponent) <= claim.tolerance
        for decoy in claim.decoys:
            if decoy.where(**point):
                assert abs(slope - decoy.theory(**point).exponent) > claim.tolerance, decoy.says


def distance(truth, decoy):
    """Largest distance between two laws, or of the uniform law from the columns of one transformed by the other."""
    q = np.linspace(0.01, 0.99, 50)
    pairs = zip(laws(truth), laws(decoy), strict=False)
    return np.max(np.abs(np.mean([wrong.cdf(right.ppf(q)) for right, wrong in pairs], axis=0) - q))


LAWS = [claim for claim in BOOK if claim.kind == "law" and claim.holds]


@pytest.mark.parametrize("claim", LAWS, ids=lambda claim: claim.id)
def test_each_decoy_of_a_law_is_further_off_than_the_tolerance(claim):
    """At some point at least, so that the draws that the claim asks for can reject it."""
    for decoy in claim.decoys:
        shown = [point for point in points(claim) if decoy.where(**point)]
        assert any(distance(claim.theory(**point), decoy.theory(**point)) > claim.tolerance for point in shown), (
            decoy.says
        )


@pytest.mark.parametrize("claim", LAWS, ids=lambda claim: claim.id)
def test_a_law_is_one_law(claim):
    """Its functions agree with each other: cdf rises, quantiles invert it, tails add up, the mean is an integral."""
    for point in points(claim)[:3]:
        law = laws(claim.theory(**point))[-1]
        q = np.linspace(0.001, 0.999, 101)
        x = law.ppf(q)
        assert np.all(np.diff(x) > 0)
        assert np.allclose(law.cdf(x), q, rtol=1e-8)
        assert np.allclose(law.sf(x), 1 - q, rtol=1e-8)
        assert np.allclose(law.isf(1 - q), x, rtol=1e-7)
        middle = x[1:-1]
        step = 1e-4 * np.minimum(np.diff(x)[:-1], np.diff(x)[1:])
        slope = (law.cdf(middle + step) - law.cdf(middle - step)) / (2 * step)
        assert np.allclose(law.pdf(middle), slope, rtol=1e-4)
        low, high = law.ppf(1e-12), law.isf(1e-12)
        if np.isfinite(law.mean()) and low >= 0 and high < 1e3:
            area, _ = integrate.quad(law.sf, 0, high, limit=500, epsabs=1e-9, points=list(law.ppf([0.01, 0.5, 0.99])))
            assert law.mean() == pytest.approx(area, rel=1e-6)
