"""Telling harmful files. Only the harmless one that virus scanners are tried with is known; none else is looked for.

Source: https://www.eicar.org/download-anti-malware-testfile/
"""

from __future__ import annotations

import hashlib

_LONGEST = 128  # with the white space that may follow it
# Its hash and not the file itself, because scanners would take this one for a virus.
_TEST_FILE = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"


def is_virus(data: bytes) -> bool:
    """Whether a file is the EICAR test file."""
    return len(data) <= _LONGEST and hashlib.sha256(data.rstrip(b" \t\r\n\x1a")).hexdigest() == _TEST_FILE
