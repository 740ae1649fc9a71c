"""The EICAR test file, put together so that no scanner takes this file for it.

Source: https://www.eicar.org/download-anti-malware-testfile/
"""

from __future__ import annotations

TEST_FILE = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
