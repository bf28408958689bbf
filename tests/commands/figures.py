"""Bad commands of figures: what follows `python -m`, the exit code, words of the one line on stderr."""

from tests.commands.files import LONG

ROWS = [
    # figures
    ("figures more", 2, "unrecognized arguments: more"),
    # figures.circulant
    ("figures.circulant --out nothing", 3, "no records ... python -m simulate.circulant makes some"),
    # figures.conditioning
    ("figures.conditioning --out nothing", 3, "no records ... python -m simulate.conditioning makes some"),
    # figures.convnorm_width
    ("figures.convnorm_width --out nothing", 3, "no records ... python -m empirical.convnorm_width makes some"),
    # figures.empirical_conditioning
    ("figures.empirical_conditioning --out nothing", 3, "no records ... python -m empirical.conditioning makes some"),
    # figures.examine
    ("figures.examine --out nothing", 3, "no records ... python -m empirical.examine makes some"),
    # figures.gradient_plane
    ("figures.gradient_plane --out nothing", 3, "no records ... python -m simulate.gradient_plane makes some"),
    # figures.imagenet_compression
    ("figures.imagenet_compression --out nothing", 3, "python -m empirical.imagenet_compression makes some"),
    # figures.joint_robustness
    ("figures.joint_robustness --out nothing", 3, "no records ... python -m empirical.joint_robustness makes some"),
    # figures.ladder
    ("figures.ladder --out nothing", 3, "no records ... python -m simulate.ladder makes some"),
    # figures.last_column
    ("figures.last_column --out nothing", 3, "no records ... python -m simulate.last_column makes some"),
    # figures.latent_defence
    ("figures.latent_defence --out nothing", 3, "no records ... python -m empirical.latent_defence makes some"),
    # figures.linear_compression
    ("figures.linear_compression --out nothing", 3, "no records ... python -m empirical.linear_compression makes some"),
    # figures.mnist_compression
    ("figures.mnist_compression --out nothing", 3, "no records ... python -m empirical.mnist_compression makes some"),
    # figures.path_length
    ("figures.path_length --out nothing", 3, "no records ... python -m simulate.path_length makes some"),
    # figures.probes
    ("figures.probes --out nothing", 3, "no records ... python -m simulate.probes makes some"),
    # figures.qr_product
    ("figures.qr_product --out nothing", 3, "no records ... python -m simulate.qr_product makes some"),
    # figures.relu_compression
    ("figures.relu_compression --out nothing", 3, "no records ... python -m empirical.relu_compression makes some"),
    # figures.separation
    ("figures.separation --out nothing", 3, "no records ... python -m simulate.separation makes some"),
    # figures.statements
    ("figures.statements --out nothing", 3, "no records ... python -m simulate.statements makes some"),
    # figures.svd_defence
    ("figures.svd_defence --out nothing", 3, "no records ... python -m empirical.svd_defence makes some"),
    # figures.truncation
    ("figures.truncation --out nothing", 3, "no records ... python -m simulate.truncation makes some"),
    # figures.universality
    ("figures.universality --out nothing", 3, "no records ... python -m simulate.universality makes some"),
    # figures.qr_product
    ("figures.qr_product --bad", 2, "unrecognized arguments: --bad"),
    ("figures.qr_product --out", 2, "argument --out: expected one argument"),
    ("figures.qr_product --page fc", 2, "unrecognized arguments: --page fc"),
    # figures.statements
    ("figures.statements --page x", 2, "--page must be among overview, fc, ..., got x"),
    ("figures.statements --point 1", 2, "unrecognized arguments: --point 1"),
    # figures.qr_product
    ("figures.qr_product --out none --to /dev/null", 2, "--to must end in ... got /dev/null"),
    ("figures.qr_product --out none --to none/.png", 2, "--to must have a name before its ending"),
    ("figures.qr_product --out none --to folder.png", 2, "--to must name a file, got ...: a folder"),
    ("figures.qr_product --out none --to pipe.png", 2, "--to must name a file, got ...: a device"),
    (f"figures.qr_product --out none --to {LONG}.png", 2, "--to must lead to a file, got ....png: File name too long"),
    ("figures.qr_product --out none --point 0", 2, "--point must be an integer of at least 1, got 0"),
    ("figures.qr_product --out none --point nan", 2, "--point must be an integer of at least 1, got 'nan'"),
    ("figures.qr_product --out none --point 1e9", 2, "--point must be at most 1, the points of that run"),
    ("figures.qr_product --out none --run numpy-seed1", 3, "no records of numpy-seed1 in ... (held: numpy-seed0)"),
    ("figures.qr_product --out none --run ../simulate.qr_product/numpy-seed0", 3, "(held: numpy-seed0)"),
    ("figures.qr_product --out none --claims leaving.py", 2, "--claims must be ...: SystemExit: 3"),
    ("figures.qr_product --out none --claims json", 2, "--claims must state BOOK = ..., got json with NoneType"),
    ("figures.qr_product --out none", 3, "no records of n=4 rows=4 in none/simulate.qr_product/numpy-seed0"),
    ("figures.qr_product --out file.txt", 3, "no records of any run in ...file.txt/simulate"),
    ("figures.qr_product --out list", 3, "manifest.json is damaged (it must be an object, got list)"),
    ("figures.qr_product --out null", 3, "manifest.json is damaged (it must be an object, got None"),
    ("figures.qr_product --out object", 3, "manifest.json is damaged (it lacks seed)"),
    ("figures.qr_product --out points", 3, "manifest.json is damaged (points must be a list of points"),
    ("figures.qr_product --out foreign", 3, "must hold points of simulate.qr_product in its manifest"),
    # figures.table
    ("figures.table --bad", 2, "unrecognized arguments: --bad"),
    ("figures.table --out folder", 3, "no verdicts in ...: python -m simulate.verify"),
    ("figures.table --out list", 3, "verdicts.json must be a table of verdicts, got something else"),
    ("figures.table --summary none.json", 3, "no summary none.json: python -m figures.report --save none.json"),
    ("figures.table --summary list/verify/verdicts.json", 3, "must be a summary, got something else: python -m"),
    # figures.verdicts
    ("figures.verdicts --bad", 2, "unrecognized arguments: --bad"),
    ("figures.verdicts --out folder", 3, "no verdicts in folder: python -m simulate.verify --out folder makes them"),
    ("figures.verdicts --out list --to x.gif", 2, "--to must end in .png, .svg, .pdf, got x.gif"),
    # figures.report
    ("figures.report --bad", 2, "unrecognized arguments: --bad"),
    ("figures.report --out nothing", 3, "no verdicts and no records in nothing: python -m simulate.verify makes some"),
    ("figures.report --out nothing --to page.txt", 2, "--to must name a file that ends in .html, got page.txt"),
    ("figures.report --out nothing --save page.html", 2, "--save must name a file that ends in .json, got page.html"),
    ("figures.report --summary folder", 3, "folder is damaged (Is a directory), and must be a summary"),
    ("figures.report --out list --claims raising.py", 2, "--claims must be ...RuntimeError: no"),
    ("figures.table --claims raising.py", 2, "--claims must be ...RuntimeError: no"),
]
