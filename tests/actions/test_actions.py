"""Tests of the actions: called directly, through the server, and in their images (with FAASSIM_IMAGES=1).

Owns what every action must answer. Must never take a measured time for a reason to fail: machines differ.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

import harness

try:
    import tomllib
except ImportError:  # before python 3.11
    tomllib = None


def manifest_of(text):
    """The actions of a manifest: as much of TOML as ours has, so that an old python will do."""
    def value_of(text):
        if not text.startswith("{"):
            return json.loads(text)
        return {key: value_of(value) for key, value in (pair.split(" = ") for pair in text[1:-1].strip().split(", "))}

    actions = []
    for line in text.splitlines():
        key, equals, value = line.partition(" = ")
        if line == "[[action]]":
            actions.append({})
        elif equals and not line.startswith("#"):
            actions[-1][key] = value_of(value)
    return actions


with open(os.path.join(harness.ACTIONS, "actions.toml"), encoding="utf-8") as file:
    MANIFEST_TEXT = file.read()
MANIFEST = manifest_of(MANIFEST_TEXT)
BY_NAME = {action["name"]: action for action in MANIFEST}
FLAVOURS = ["plain", "ai", "ai-video"]

# Small arguments and what must come back; the rest of an answer is only looked at for being there.
CASES = {
    "hello": ({"name": "you"}, {"greeting": "Hello, you!"}),
    "float_operation": ({"n": 1_000}, {"n": 1_000}),
    "linpack": ({"n": 50}, {"n": 50, "solved": True}),
    "matmul": ({"n": 50}, {"n": 50, "checked": True}),
    "pyaes": ({"length": 100}, {"length": 100}),
    "chameleon": ({"rows": 3, "columns": 2}, {}),
    "json_dumps_loads": ({"n": 10}, {}),
    "gzip_compression": ({"kib": 16}, {"bytes": 16_384, "smaller": True}),
    "dd": ({"mib": 1}, {"bytes": 1 << 20}),
    "image_processing": ({"size": 64}, {"width": 32, "mode": "L"}),
    "video_processing": ({"frames": 16, "size": 64}, {"frames": 16}),
    "model_training": ({"texts": 200, "epochs": 20}, {"texts": 200}),
    "cnn_inference": ({"images": 4, "size": 32}, {"images": 4, "right": 4}),
    "lookbusy": ({"run_ms": 5}, {}),
}
# Fields that are measured and so differ from run to run.
MEASURED = {"mflops", "run_ms", "cpu_ms"}
# Actions with files, of which none may stay.
WRITERS = {"dd", "video_processing"}
# Arguments that an action must refuse by name.
WRONG = {
    "float_operation": [{"n": 0}, {"n": "many"}, {"n": 1.5}],
    "linpack": [{"n": 1}, {"n": 5_001}, {"seed": -1}],
    "matmul": [{"n": 0}, {"n": None}, {"seed": "any"}],
    "pyaes": [{"length": 0}, {"rounds": 0}],
    "chameleon": [{"rows": 0}, {"columns": -1}],
    "json_dumps_loads": [{"n": 0}],
    "gzip_compression": [{"kib": 0}],
    "dd": [{"mib": 0}, {"block_kib": 0}],
    "image_processing": [{"size": 15}, {"size": 4_097}],
    "video_processing": [{"frames": 15}, {"size": 1_921}],
    "model_training": [{"texts": 9}, {"epochs": 9}, {"seed": 1.5}],
    "cnn_inference": [{"images": 0}, {"size": 15}, {"seed": None}],
    "lookbusy": [{"run_ms": -1}, {"cpu": 1.5}, {"memory_mib": "all"}, {"run_ms": float("nan")}],
}


def source_of(action):
    with open(os.path.join(harness.ACTIONS, action["file"]), encoding="utf-8") as file:
        return file.read()


def load(name):
    """The module of an action; skips the test where its libraries are missing."""
    path = os.path.join(harness.ACTIONS, BY_NAME[name]["file"])
    spec = importlib.util.spec_from_file_location(f"action_{name}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise unittest.SkipTest(str(error)) from None
    return module


def for_each_action(case):
    """A test of its own for each action."""
    for name in BY_NAME:
        setattr(case, f"test_{name}", lambda self, name=name: self.check(name))
    return case


def steady(result):
    return {key: value for key, value in result.items() if key not in MEASURED}


class Manifest(unittest.TestCase):
    @unittest.skipIf(tomllib is None, "this python has no tomllib to compare with")
    def test_it_is_read_as_toml_is(self):
        self.assertEqual(tomllib.loads(MANIFEST_TEXT)["action"], MANIFEST)

    def test_every_file_is_listed_and_every_listed_one_is_there(self):
        there = {name for name in os.listdir(harness.ACTIONS) if name.endswith(".py")}
        self.assertEqual(there, {action["file"] for action in MANIFEST})
        self.assertEqual(len(BY_NAME), len(MANIFEST), "a name is there twice")
        self.assertEqual(set(CASES), set(BY_NAME), "an action without a test")

    def test_fields_are_what_they_must_be(self):
        for action in MANIFEST:
            with self.subTest(action["name"]):
                self.assertEqual(set(action), {"name", "file", "what", "image", "memory", "run", "init", "args"})
                self.assertIn(action["image"], FLAVOURS)
                self.assertRegex(action["memory"], r"^[1-9][0-9]* MiB$")
                for field in ("run", "init"):
                    self.assertRegex(action[field], r"^[0-9]+(\.[0-9]+)? (ms|s)$")
                self.assertTrue(source_of(action).startswith('"""'), "no word on what the file owns")


@for_each_action
class Direct(unittest.TestCase):
    """Each action called as a function, with small arguments and with the manifest's."""

    def check(self, name):
        module, (args, expected) = load(name), CASES[name]
        result = module.main(dict(args))
        self.assertEqual(expected, {key: result.get(key) for key in expected})
        for args in (args, BY_NAME[name]["args"]):
            self.assertEqual(steady(module.main(dict(args))), steady(module.main(dict(args))), "not the same twice")
        for wrong in WRONG.get(name, []):
            with self.subTest(wrong), self.assertRaisesRegex(ValueError, next(iter(wrong))):
                module.main({**args, **wrong})


@for_each_action
class ThroughServer(unittest.TestCase):
    """Each action as source text, by /init and /run."""

    def check(self, name):
        load(name)
        with harness.Process() as server:
            check_sandbox(self, server, name)


@unittest.skipUnless(os.environ.get("FAASSIM_IMAGES") == "1", "FAASSIM_IMAGES=1 runs each action in its image")
@for_each_action
class InImage(unittest.TestCase):
    """Each action in a container of its image, at the memory that it states; tells what it takes."""

    def check(self, name):
        action = BY_NAME[name]
        memory = int(action["memory"].split()[0])
        with harness.Container(harness.image_of(action["image"]), memory) as container:
            init, first, warm = check_sandbox(self, container, name)
            self.assertFalse(container.was_killed_for_memory())
            if name in WRITERS:  # the engine takes a second or more to compare
                self.assertEqual([], container.added_files())
        print(f"{name:<18} init {init:6.1f} ms (stated {action['init']}), first run {first:6.1f} ms, "
              f"warm {warm:6.1f} ms (stated {action['run']})", file=sys.stderr)


@unittest.skipUnless(os.environ.get("FAASSIM_IMAGES") == "1", "FAASSIM_IMAGES=1 starts each image")
class Images(unittest.TestCase):
    """What holds for every flavour, whatever it runs."""

    def test_a_container_ends_with_sigterm_though_the_server_is_process_1(self):
        for flavour in FLAVOURS:
            with self.subTest(flavour), harness.Container(harness.image_of(flavour), 64, kept=True) as container:
                harness.docker("stop", "--time", "60", container.name)
                # 137 would be the SIGKILL that follows when nobody listens.
                self.assertEqual("143", harness.docker("inspect", "--format", "{{.State.ExitCode}}", container.name))

    def test_an_action_is_not_root_and_can_write_temporary_files(self):
        code = "import os, tempfile\ndef main(args):\n    with tempfile.TemporaryFile() as file:\n" \
               "        return {'user': os.getuid(), 'written': file.write(b'bytes')}\n"
        for flavour in FLAVOURS:
            with self.subTest(flavour), harness.Container(harness.image_of(flavour), 64) as container:
                self.assertEqual(200, container.init(code)[0])
                status, answer = container.run()
                self.assertEqual((200, 5), (status, answer.get("written")), answer)
                self.assertNotEqual(0, answer["user"])


def check_sandbox(test, sandbox, name):
    """An action in a process or container, by /init and /run: small, refused, and with the manifest's arguments.

    Gives the milliseconds of /init, of the first run with the manifest's arguments, and of the fastest one after it.
    """
    def timed(call):
        began = time.perf_counter()
        answer = call()
        return answer, (time.perf_counter() - began) * 1e3

    answer, init = timed(lambda: sandbox.init(source_of(BY_NAME[name])))
    test.assertEqual((200, {"ok": True}), answer)
    given, (small, expected) = BY_NAME[name]["args"], CASES[name]
    times, results = [], []
    for args in [given] * 4 + [small]:
        (status, result), taken = timed(lambda: sandbox.run(args))
        test.assertEqual(200, status, result)
        test.assertNotIn("error", result)
        times.append(taken)
        results.append(steady(result))
    test.assertEqual(results[:1] * 4, results[:4], "not the same every time")
    test.assertEqual(set(results[0]), set(results[4]))
    test.assertEqual(expected, {key: results[4].get(key) for key in expected})
    wrongs = WRONG.get(name, [])
    for wrong in wrongs:
        status, result = sandbox.run({**small, **wrong})
        test.assertEqual((200, {"error"}), (status, set(result)))
        test.assertRegex(result["error"], f"^{next(iter(wrong))} must be ")
    sandbox.wait_for_sentinels(5 + len(wrongs))
    test.assertEqual((5 + len(wrongs),) * 2, sandbox.sentinels())
    return init, times[0], min(times[1:4])


class Pyaes(unittest.TestCase):
    def test_the_vectors_of_fips_197(self):
        aes = load("pyaes")
        for key, text, secret in [
            ("2b7e151628aed2a6abf7158809cf4f3c", "3243f6a8885a308d313198a2e0370734",  # appendix B
             "3925841d02dc09fbdc118597196a0b32"),
            ("000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",  # appendix C.1
             "69c4e0d86a7b0430d8cdb78070b4c55a"),
        ]:
            self.assertEqual(secret, aes.encrypt_block(bytes.fromhex(text), aes.expand(bytes.fromhex(key))).hex())

    def test_the_last_round_key_of_appendix_a(self):
        aes = load("pyaes")
        keys = aes.expand(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
        self.assertEqual("d014f9a8c9ee2589e13f0cc8b6630ca6", bytes(keys[10]).hex())


class Chameleon(unittest.TestCase):
    def test_cells_are_escaped_and_loops_are_nested(self):
        module, out = load("chameleon"), []
        module.render(module.parse(module.TEMPLATE), {"style": "a\"b", "rows": [["<1>", 2], ["&"]]}, out)
        self.assertEqual('<table class="a&quot;b">\n<tr><td>&lt;1&gt;</td><td>2</td></tr>\n<tr><td>&amp;</td></tr>\n'
                         "</table>\n", "".join(out))


class Dd(unittest.TestCase):
    def test_no_file_is_left_though_the_disk_fails(self):
        module = load("dd")
        with tempfile.TemporaryDirectory() as folder, mock.patch("tempfile.tempdir", folder):
            module.main({"mib": 1})
            self.assertEqual([], os.listdir(folder))
            with mock.patch("os.fsync", side_effect=OSError("no space is left")), self.assertRaises(OSError):
                module.main({"mib": 1})
            self.assertEqual([], os.listdir(folder))


class Lookbusy(unittest.TestCase):
    def test_a_run_lasts_as_long_as_told(self):
        module = load("lookbusy")
        # Of several tries the best: other work on the machine can only make a run longer.
        over = min(module.main({"run_ms": 20})["run_ms"] - 20 for _ in range(5))
        self.assertGreaterEqual(over, 0)
        self.assertLess(over, 15)

    def test_a_share_of_the_processor_is_kept(self):
        module = load("lookbusy")
        used = module.main({"run_ms": 200, "cpu": 0.25})["cpu_ms"]
        self.assertLess(used, 120)
        self.assertLess(module.main({"run_ms": 200, "cpu": 0})["cpu_ms"], 50)
        least = min(module.main({"run_ms": 100, "cpu": 0.2})["cpu_ms"] for _ in range(3))
        most = max(module.main({"run_ms": 100, "cpu": 1})["cpu_ms"] for _ in range(3))
        self.assertLess(2 * least, most)

    def test_loading_takes_the_time_and_the_memory_of_the_environment(self):
        code = source_of(BY_NAME["lookbusy"])
        with harness.Process() as server:
            began = time.monotonic()
            status, _ = server.init(code, env={"LOOKBUSY_INIT_MS": "150", "LOOKBUSY_MEMORY_MIB": 48})
            self.assertEqual(200, status)
            self.assertGreaterEqual(time.monotonic() - began, 0.15)
            with open(f"/proc/{server.child.pid}/status", encoding="ascii") as file:
                resident = int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])
            self.assertGreater(resident, 48 << 10)
            self.assertEqual(200, server.run({"run_ms": 1})[0])

    def test_a_wrong_environment_is_told_at_init(self):
        with harness.Process() as server:
            status, answer = server.init(source_of(BY_NAME["lookbusy"]), env={"LOOKBUSY_CPU": "2"})
            self.assertEqual(502, status)
            self.assertIn("LOOKBUSY_CPU must be a number from 0 to 1", answer["error"])


class MissingLibraries(unittest.TestCase):
    def test_the_image_with_them_is_named(self):
        # -S: no installed package is found, so that even a machine with numpy has none.
        environment = {"PATH": "", "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
        for action in MANIFEST:
            if action["image"] == "plain":
                continue
            with self.subTest(action["name"]):
                path = os.path.join(harness.ACTIONS, action["file"])
                done = subprocess.run([sys.executable, "-S", path], capture_output=True, text=True, env=environment)
                self.assertIn(f"use the image faassim-python:{action['image']}", done.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
