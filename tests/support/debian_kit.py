"""Programs that tests need besides Python's packages."""

import os
import shutil
import subprocess


def program(name: str) -> str:
    """Find a program; as root on Debian, install it first. Fails with the command to run elsewhere."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
    found = shutil.which(name, path=path)
    if found is None and os.getuid() == 0 and shutil.which("apt-get"):
        # a run level in which a package starts no service
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", name]):
            subprocess.run(command, env=quiet, capture_output=True, timeout=300, check=False)
        found = shutil.which(name, path=path)
    assert found is not None, f"this test needs {name}: apt-get install {name}"
    return found
