"""The `ocpfleet` command of a newer version: this code, which knows one more form of the record and makes such records.

Run as ``python -m tests.support.newer``, with the words of the command. The number is changed before anything that
uses it is imported.
"""

from importlib import import_module

import core.record

if __name__ == "__main__":
    core.record.RECORD_VERSION += 1
    import_module("cli.main").main()
