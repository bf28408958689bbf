"""`python -m theory` as a user runs it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from theory.__main__ import main
from theory.claims import CLAIMS
from theory.evaluations import EVALUATIONS
from theory.fraction import fraction_law

REFUTED = [claim.id for claim in CLAIMS if claim.refuted]


def theory(*arguments, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "theory", *arguments], capture_output=True, text=True, timeout=120, cwd=cwd
    )
    return done.returncode, done.stdout, done.stderr


def test_the_table_has_every_row():
    code, out, err = theory()
    assert (code, err) == (0, "")
    assert all(claim.id in out for claim in CLAIMS)
    assert f"{len(CLAIMS)} rows; {len(REFUTED)} hold a statement that is false" in out


def test_the_table_as_json():
    code, out, _ = theory("--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["id"] for row in rows] == [claim.id for claim in CLAIMS]
    assert all(row["formula"] and row["source"] and row["function"] for row in rows)


def test_one_claim_leads_to_its_code():
    code, out, _ = theory("--claim", "fc.lemma3.last")
    assert code == 0
    assert "theory/qr_product.py:" in out
    assert "last_law" in out
    assert "python -m simulate.qr_product" in out


def test_a_prefix_chooses_rows():
    code, out, _ = theory("--claim", "fc.lemma3.block")
    assert code == 0
    assert "fc.lemma3.block.corner" in out
    assert "fc.fraction" not in out


def test_a_counterexample_is_replayed_exactly():
    code, out, _ = theory("--replay", REFUTED[0])
    assert code == 0
    assert "exactly" in out
    code, out, _ = theory("--json", "--replay", REFUTED[0])
    assert json.loads(out)["claim"] == REFUTED[0]


def test_a_law_is_evaluated():
    code, out, _ = theory("fraction", "--n", "12", "--at", "0.148", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["mean"] == pytest.approx(0.235172672, rel=1e-8)
    assert answer["P(X <= 0.148)"] == pytest.approx(0.3705674, abs=1e-6)
    assert answer["quantile 0.95"] == pytest.approx(float(fraction_law(12, (12,)).ppf(0.95)))


def test_a_law_is_drawn(tmp_path):
    code, out, _ = theory("fraction", "--n", "6", "--plot", cwd=tmp_path)
    assert code == 0
    assert "results/figures/fraction.png" in out
    assert (tmp_path / "results" / "figures" / "fraction.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--claim", "fc.lema3.last"), "near it: fc.lemma3.last"),
        (("--replay", "fc.fraction"), "none is stored for fc.fraction"),
        (("fraction", "--n", "1"), "n must be at least 2, got 1"),
        (("fraction",), "required: --n"),
        (("fraction", "--n", "x"), "must be a whole number, got x"),
        (("fraction", "--n", "4", "--rows", "3"), "every height must be at least n = 4, got 3"),
        (("fraction", "--n", "4", "--plot", "law.gif"), "--plot must end in .png, .svg, .pdf, got law.gif"),
        (("lyapunov", "--n", "4", "--at", "1"), "unrecognized arguments: --at 1"),
        (("condition", "--matrix", "nothing.npy"), "nothing.npy must be a .npy or .npz file that can be read"),
        (("nothing",), "invalid choice"),
    ],
)
def test_bad_usage_is_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["theory", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_network_from_a_file_is_certified(tmp_path):
    rng = np.random.default_rng(0)
    weights = {f"W{k}": rng.standard_normal(shape) / 3 for k, shape in ((1, (8, 6)), (2, (8, 8)), (3, (3, 8)))}
    np.savez(tmp_path / "net.npz", x=rng.random(6), b2=rng.standard_normal(8), **weights)
    radii = ("--epsilon-x", "0.01", "--epsilon-w", "0.01")
    code, out, _ = theory("joint-margin", "--network", "net.npz", *radii, "--json", cwd=tmp_path)
    answer = json.loads(out)
    assert code == 0
    _, clean, attained, exact, linear, crown, intervals, theorem = list(answer.values())[2:]
    assert clean <= attained <= exact + 1e-6 <= min(linear, crown) + 2e-6
    assert exact == pytest.approx(attained, abs=1e-5)
    assert linear <= intervals + 1e-6 <= theorem + 2e-6


def test_json_may_stand_on_either_side_of_the_name():
    before, after = theory("--json", "lyapunov", "--n", "4"), theory("lyapunov", "--n", "4", "--json")
    assert before == after
    assert json.loads(before[1])["lambda_n"] == pytest.approx(-0.6351814227)


def test_help_loads_no_numbers():
    code = "import sys; sys.argv = ['theory', '--help']\nfrom theory.__main__ import main\ntry: main()\n"
    code += "except SystemExit: sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "taken").write_text("")
    code, _, err = theory("fraction", "--n", "3", "--plot", "taken/law.png", cwd=tmp_path)
    assert code == 2
    assert err.count("\n") == 1


def test_nothing_in_a_file_is_executed(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    code, _, err = theory("condition", "--matrix", "objects.npy", cwd=tmp_path)
    assert code == 2
    np.save(tmp_path / "words.npy", np.array(["one", "two"]))
    assert theory("condition", "--matrix", "words.npy", cwd=tmp_path)[0] == 2
    assert err == "python -m theory: objects.npy must be a .npy or .npz file of numbers, and it is none\n"


@pytest.mark.parametrize("name", EVALUATIONS)
def test_every_evaluation_says_what_it_is(name):
    assert EVALUATIONS[name].__doc__
