"""Bad commands of the benchmarks: what follows `python -m`, the exit code, words of the one line on stderr."""

ROWS = [
    ("benchmarks.bench_attacks --nets mlp,x", 2, "--nets must be names among linear, mlp, ... got 'x'"),
    ("benchmarks.bench_checks --repeats 0", 2, "--repeats must be an integer of at least 1, got 0"),
    ("benchmarks.bench_checks --json --markdown", 2, "not allowed with argument"),
    ("benchmarks.bench_convnorm more", 2, "unrecognized arguments: more"),
    ("benchmarks.bench_direct nan", 2, "unrecognized arguments: nan"),
    ("benchmarks.bench_direct --seconds nan", 2, "--seconds must be"),
    ("benchmarks.bench_gpu more", 2, "unrecognized arguments: more"),
    ("benchmarks.bench_memory more", 2, "unrecognized arguments: more"),
    ("benchmarks.bench_many_networks more", 2, "unrecognized arguments: more"),
    ("benchmarks.bench_margins more", 2, "unrecognized arguments: more"),
    ("benchmarks.bench_qr_product --seconds 0", 2, "--seconds must be"),
    ("benchmarks.bench_shards nothing", 2, "STUDY must be among simulate.circulant, ... got nothing"),
    ("benchmarks.false_alarms --repeats 0", 2, "--repeats must be an integer of at least 1, got 0"),
    ("benchmarks.survey --family scipy,x", 2, "--family must be among scipy, numpy, torch, matrices, got x"),
    ("benchmarks.survey --alpha 0", 2, "--alpha must be a number between 0 and 1, got 0"),
    ("benchmarks.survey --only nothing", 2, "--only must be part of the name of a check, got nothing"),
]
