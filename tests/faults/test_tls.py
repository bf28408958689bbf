"""A Dask scheduler that asks for certificates, as docs/scale.md sets one up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import distributed
import pytest

ROOT = Path(__file__).parents[2]
MAKE = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=fragility -keyout key.pem -out cert.pem"
VARIABLES = {"CA_FILE": "cert.pem", "CLIENT__CERT": "cert.pem", "CLIENT__KEY": "key.pem"}


@pytest.fixture
def address(tmp_path):
    """Of a scheduler with one worker that take nothing but what is signed by the certificate in the folder."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    subprocess.run(MAKE.split(), cwd=tmp_path, check=True, capture_output=True)
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    files = {
        f"tls_{role}_{kind}": path
        for role in ("scheduler", "worker", "client")
        for kind, path in (("cert", cert), ("key", key))
    }
    security = distributed.Security(require_encryption=True, tls_ca_file=cert, **files)
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol="tls",
        security=security,
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address


def draw(address, folder, **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in variables.items()}
    flags = ["--n", "4", "--samples", "100", "--method", "lu", "--backend", "numpy", "--scheduler", address]
    command = [sys.executable, "-m", "simulate.qr_product", *flags]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_who_has_the_certificate_draws(address, tmp_path):
    assert address.startswith("tls://")
    done = draw(address, tmp_path, **VARIABLES)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*.parquet"))


def test_who_has_none_is_refused_in_a_line(address, tmp_path):
    done = draw(address, tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert f"--scheduler must be the address of a running Dask scheduler, got {address} (" in line
