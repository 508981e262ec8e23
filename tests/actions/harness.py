"""Runs the runtime server for the tests, as a process or in a container, and speaks HTTP with it.

Owns what it starts and ends all of it. Must never touch a process, a container or an image that is not its own.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
import uuid

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
ACTIONS = os.path.join(ROOT, "actions")
SERVER = os.path.join(ACTIONS, "runtime", "server.py")
SENTINEL = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX"
# Far more than anything here takes, so that a busy machine fails no test.
PATIENCE_S = 60.0
# SIGTERM (as `timeout` sends it) ends the tests as ^C does: what they started is ended.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def post(address, path, message, timeout=PATIENCE_S):
    """Status and JSON of an answer. A `message` of bytes is sent as it is."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return answer_of(connection)
    finally:
        connection.close()


def answer_of(connection):
    """Status and JSON of the next answer, whose length must be told."""
    response = connection.getresponse()
    if response.getheader("Content-Length") is None:
        raise AssertionError("an answer without Content-Length counts as none")
    return response.status, json.loads(response.read())


def wait_until(true, what):
    until = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > until:
            raise AssertionError(f"in vain waited for: {what}")
        time.sleep(0.005)


class Sandbox:
    """What both kinds share: the address, and /init and /run of one action."""

    address = None

    def post(self, path, message):
        return post(self.address, path, message)

    def init(self, code, **fields):
        return self.post("/init", {"value": {"name": "test", "main": "main", "code": code, "binary": False, **fields}})

    def run(self, value=None, **fields):
        return self.post("/run", {"value": {} if value is None else value, **fields})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Process(Sandbox):
    """The server as a process, started as live mode does; its streams are read all the time, line by line."""

    def __init__(self, *options, dies_with_stdin=True):
        if dies_with_stdin:
            options = ("--die-with-stdin", *options)
        # Options after the port: a test may give another one.
        self.child = subprocess.Popen(
            [sys.executable, "-I", "-u", SERVER, "--host", "127.0.0.1", "--port", "0", "--label", "test", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = {"stdout": [], "stderr": []}
        self.readers = [threading.Thread(target=self.read, args=(name,), daemon=True) for name in self.lines]
        for reader in self.readers:
            reader.start()
        try:
            wait_until(lambda: self.lines["stdout"] or self.child.poll() is not None, "the port")
            if not self.lines["stdout"]:
                raise AssertionError(f"the server ended with {self.wait_for_end()}: {self.lines['stderr']}")
            name, _, port = self.lines["stdout"].pop(0).partition("=")
            if name != "FAASSIM_PORT":
                raise AssertionError(f"the first line is not the port but {name!r}")
        except BaseException:
            self.end()
            raise
        self.address = ("127.0.0.1", int(port))

    def read(self, stream):
        for line in getattr(self.child, stream):
            self.lines[stream].append(line.rstrip("\n"))

    def sentinels(self):
        """How many ends of runs were told on stdout and on stderr."""
        return tuple(self.lines[stream].count(SENTINEL) for stream in ("stdout", "stderr"))

    def wait_for_sentinels(self, many):
        wait_until(lambda: min(self.sentinels()) >= many, f"{many} sentinels, there are {self.sentinels()}")

    def wait_for_end(self):
        """The exit status, once the server has ended by itself."""
        status = self.child.wait(PATIENCE_S)
        for reader in self.readers:
            reader.join(PATIENCE_S)
        return status

    def end(self):
        self.child.terminate()  # so that it removes its folder
        try:
            self.child.wait(10.0)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        for reader in self.readers:
            reader.join(PATIENCE_S)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            try:
                pipe.close()
            except OSError:  # what was written to it has no reader any more
                pass


class Container(Sandbox):
    """The server in a container, with a limit of memory and no swap. Its port is published on this machine alone."""

    def __init__(self, image, memory_mib, kept=False):
        """`kept`: its end can be looked at."""
        self.name = f"faassim-test-{uuid.uuid4().hex[:12]}"
        try:
            docker("run", "--detach", *([] if kept else ["--rm"]), "--name", self.name, "--publish", "127.0.0.1::8080",
                   "--memory", f"{memory_mib}m", "--memory-swap", f"{memory_mib}m", image)
            # The first line: there may be one more for IPv6.
            port = docker("port", self.name, "8080/tcp").splitlines()[0].rpartition(":")[2]
            self.address = ("127.0.0.1", int(port))
            wait_until(self.answers, f"the server in {image}")
        except BaseException:
            self.end()
            raise

    def answers(self):
        connection = http.client.HTTPConnection(*self.address, timeout=1.0)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):  # the engine takes connections before the server does
            return False
        finally:
            connection.close()

    def was_killed_for_memory(self):
        return docker("inspect", "--format", "{{.State.OOMKilled}}", self.name) == "true"

    def sentinels(self):
        logs = subprocess.run(["docker", "logs", self.name], capture_output=True, text=True, check=True)
        return tuple(text.splitlines().count(SENTINEL) for text in (logs.stdout, logs.stderr))

    def wait_for_sentinels(self, many):
        wait_until(lambda: min(self.sentinels()) >= many, f"{many} sentinels in the log of the container")

    def added_files(self):
        return [line for line in docker("diff", self.name).splitlines() if line.startswith("A ")]

    def end(self):
        # Of no container by that name it says so and fails: it has ended and was removed.
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], capture_output=True)


def image_of(flavour):
    """The image; skips the test where it is missing."""
    image = f"faassim-python:{flavour}"
    try:
        docker("image", "inspect", image)
    except (OSError, AssertionError):
        raise unittest.SkipTest(f"NOTHING WAS RUN IN {image}: NO ENGINE ANSWERS OR THE IMAGE IS MISSING "
                                "(scripts/build-images.sh)") from None
    return image


def docker(*words):
    """What a docker command prints."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"docker {words[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()
