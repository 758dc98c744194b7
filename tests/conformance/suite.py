"""Runs one module of CPython's own tests and tells each result in a line of its own.

It runs in a process of the product and, the same text, in CPython on the machine. The harness puts an assignment to
`PLAN` in front: the module, the tests that an earlier run has told already, and where the tests come from.
A line of the report begins with MARK, because tests print too.
"""

import io
import json
import os
import sys
import time
import traceback
import unittest
import zipfile

MARK = "\x02"
#: What a failure's own words may take, in characters.
LONGEST = 300
#: Modules whose tests ask for regrtest's "network" but stay on the host.
LOCAL = {"test.test_socketserver"}


def unpack(address):
    """Brings the tests into the process: the harness serves them from the page's origin, as an archive."""
    from js import XMLHttpRequest

    request = XMLHttpRequest.new()
    request.open("GET", address, False)
    request.responseType = "arraybuffer"
    request.send()
    if request.status != 200:
        raise SystemExit(f"the tests could not be loaded (status {request.status})")
    archive = zipfile.ZipFile(io.BytesIO(request.response.to_bytes()))
    archive.extractall("/tmp/suite")
    sys.path.insert(0, "/tmp/suite")
    os.makedirs("/tmp/work", exist_ok=True)
    os.chdir("/tmp/work")


def claim_linux():
    """Takes back what the tests assume about Emscripten, where the product says that it is like Linux."""
    from test import support
    from test.support import threading_helper

    support.is_emscripten = False
    support.has_socket_support = True
    threading_helper.can_start_thread = True


class Told(unittest.TestResult):
    """A result that is told at once, so that nothing is lost when a test never returns."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.bad_subtests = {}
        self.said = set()

    def tell(self, test, outcome, why=""):
        name = test.id() if hasattr(test, "id") else str(test)
        self.number += 1
        spent = round(time.monotonic() - self.begin, 2) if outcome != "begin" else 0
        line = {"n": self.number, "test": name, "outcome": outcome, "why": why[:LONGEST], "s": spent}
        sys.__stdout__.write(f"\n{MARK}{json.dumps(line)}\n")
        sys.__stdout__.flush()

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()
        self.bad_subtests.pop(test.id(), None)
        self.said.discard(test.id())
        self.tell(test, "begin")

    def end(self, test, outcome, why=""):
        # A test may fail and then its cleanup too: the first word counts.
        if test.id() not in self.said:
            self.said.add(test.id())
            self.tell(test, outcome, why)

    def addSuccess(self, test):
        bad = self.bad_subtests.get(test.id())
        if bad:
            self.end(test, "failed", bad)
        else:
            self.end(test, "passed")

    def addSkip(self, test, reason):
        self.begin = getattr(self, "begin", time.monotonic())
        if isinstance(test, unittest.case._SubTest):
            return
        self.end(test, "skipped", str(reason))

    def addFailure(self, test, error):
        self.end(test, "failed", words(error))

    def addError(self, test, error):
        self.begin = getattr(self, "begin", time.monotonic())
        self.end(test, "failed", words(error))

    def addExpectedFailure(self, test, error):
        self.end(test, "passed")

    def addUnexpectedSuccess(self, test):
        self.end(test, "failed", "it was expected to fail")

    def addSubTest(self, test, subtest, error):
        if error is not None and not issubclass(error[0], unittest.SkipTest):
            # The test itself may go on, and is told at its end; or this is the last that is heard of it.
            self.bad_subtests.setdefault(test.id(), f"{subtest._subDescription()} {words(error)}")

    def stopTest(self, test):
        super().stopTest(test)
        bad = self.bad_subtests.get(test.id())
        if bad:
            self.end(test, "failed", bad)


def words(error):
    """The last line of a traceback, and where in the tests it was."""
    kind, value, trace = error
    last = traceback.format_exception_only(kind, value)[-1].strip()
    frames = traceback.extract_tb(trace)
    inside = [frame for frame in frames if "/test/" in frame.filename and "unittest" not in frame.filename]
    place = f" ({os.path.basename(inside[-1].filename)}:{inside[-1].lineno})" if inside else ""
    return last.replace("\n", " ") + place


def single(suite):
    """Every test of a suite, without the suites around it."""
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from single(part)
        else:
            yield part


def main():
    if PLAN["archive"]:
        unpack(PLAN["archive"])
    from test import support

    if PLAN["archive"]:
        claim_linux()
    support.use_resources = ["network"] if PLAN["module"] in LOCAL else []
    support.verbose = 0
    done = set(PLAN["done"])
    loaded = unittest.defaultTestLoader.loadTestsFromName(PLAN["module"])
    result = Told()

    def drop(suite):
        """Takes out what was told before; the suites stay, for the fixtures of their classes and modules."""
        for at, part in enumerate(suite):
            if isinstance(part, unittest.TestSuite):
                drop(part)
            elif part.id() in done:
                suite._tests[at] = unittest.TestSuite()

    drop(loaded)
    loaded.run(result)
    result.number += 1
    sys.__stdout__.write(f"\n{MARK}{json.dumps({'n': result.number, 'test': '', 'outcome': 'end', 'why': '', 's': 0})}\n")
    sys.__stdout__.flush()
    # Threads that a test has left behind must not keep the process.
    os._exit(0)


main()
