"""Tests of the runtime server: the protocol, the frames of its log streams, HTTP, limits and its end.

Owns what a platform may count on. Must never reach into the server: all is seen from outside.
"""

import base64
import http.client
import io
import os
import signal
import socket
import threading
import time
import unittest
import zipfile

import harness

ECHO = "def main(args):\n    return args\n"


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(packed.getvalue()).decode()


class WithServer(unittest.TestCase):
    options = ()

    def setUp(self):
        self.server = harness.Process(*self.options)
        self.addCleanup(self.server.end)

    def check_error(self, answer, status, text):
        self.assertEqual(status, answer[0], answer)
        self.assertEqual({"error"}, set(answer[1]))
        self.assertIn(text, answer[1]["error"])

    def load(self, code=ECHO, **fields):
        self.assertEqual((200, {"ok": True}), self.server.init(code, **fields))


class Init(WithServer):
    def test_once_only(self):
        self.load()
        self.check_error(self.server.init(ECHO), 403, "Cannot initialize the action more than once.")
        self.assertEqual((200, {"a": 1}), self.server.run({"a": 1}))

    def test_without_code(self):
        for value in ({}, {"code": ""}, None):
            self.check_error(self.server.post("/init", {"value": value}), 403, "Missing main/no code to execute.")

    def test_code_that_does_not_load_may_be_sent_anew(self):
        for code, text in [("def main(:", "syntax"), ("import no_such_module", "No module named 'no_such_module'"),
                           ("raise ValueError('no')", "no"), ("import sys; sys.exit(3)", "3"),
                           ("other = 1", "no function 'main'"), ("main = 1", "no function 'main'")]:
            with self.subTest(code):
                self.check_error(self.server.init(code), 502, text)
        self.load()
        self.server.run()
        self.server.wait_for_sentinels(1)
        self.assertEqual((1, 1), self.server.sentinels(), "a failed /init is no run")
        self.assertIn("ModuleNotFoundError: No module named 'no_such_module'", self.server.lines["stderr"])

    def test_malformed_messages(self):
        for value in ({"code": 1}, {"code": ECHO, "main": 1}, {"code": ECHO, "env": ["A"]}, ["code"]):
            with self.subTest(value):
                self.assertEqual(400, self.server.post("/init", {"value": value})[0])
        self.check_error(self.server.post("/init", b"{"), 400, "not JSON")
        self.check_error(self.server.post("/init", b"[]"), 400, "not a JSON object")

    def test_another_entry_and_no_frames(self):
        self.load("print('loading')\ndef other(args):\n    return {'by': __name__}\n", main="other")
        self.assertEqual((200, {"by": "main__"}), self.server.run())
        self.server.wait_for_sentinels(1)
        self.assertEqual((1, 1), self.server.sentinels())
        self.assertEqual(["loading", harness.SENTINEL], self.server.lines["stdout"])

    def test_environment(self):
        code = "import os\nAT_LOAD = os.environ['__OW_NAMESPACE']\n" \
               "def main(args):\n    return {key: os.environ.get(key) for key in args['keys']} | {'load': AT_LOAD}\n"
        self.load(code, env={"__OW_NAMESPACE": "guest", "SIZE": {"n": [1]}})
        answer = self.server.run({"keys": ["SIZE", "__OW_ACTIVATION_ID", "__OW_DEADLINE"]}, activation_id="abc",
                                 deadline="17")
        self.assertEqual((200, {"SIZE": '{"n": [1]}', "__OW_ACTIVATION_ID": "abc", "__OW_DEADLINE": "17",
                                "load": "guest"}), answer)


    def test_an_environment_that_cannot_be(self):
        for name, value in [("", "a"), ("A=B", "a"), ("A", "nul\0"), ("A", "\ud800")]:
            with self.subTest(name=name, value=value):
                self.check_error(self.server.init(ECHO, env={name: value}), 400, "cannot be set")
        self.load()
        self.check_error(self.server.run(activation_id="nul\0"), 400, "'__OW_ACTIVATION_ID'")
        self.server.wait_for_sentinels(1)
        self.assertEqual((200, {}), self.server.run())


class Zip(WithServer):
    def test_modules_and_files_beside_the_entry(self):
        code = zipped({"__main__.py": "import beside\ndef main(args):\n"
                                      "    return {'beside': beside.VALUE, 'data': open('data.txt').read()}\n",
                       "beside.py": "VALUE = 7\n", "data.txt": "text"})
        self.load(code, binary=True)
        self.assertEqual((200, {"beside": 7, "data": "text"}), self.server.run())

    def test_a_virtualenv_is_activated_first(self):
        code = zipped({"__main__.py": "import os\ndef main(args):\n    return {'set': os.environ['ACTIVATED']}\n",
                       "virtualenv/bin/activate_this.py": "import os\nos.environ['ACTIVATED'] = 'yes'\n"})
        self.load(code, binary=True)
        self.assertEqual((200, {"set": "yes"}), self.server.run())

    def test_what_is_none(self):
        for code, status in [("%%%", 400), (base64.b64encode(b"no zip").decode(), 502), (zipped({"a.py": ""}), 502)]:
            with self.subTest(code[:10]):
                self.assertEqual(status, self.server.init(code, binary=True)[0])
        self.load()

    def test_nothing_of_a_failed_one_stays(self):
        failing = {"__main__.py": "import beside\nraise ValueError(__file__)\n", "beside.py": "VALUE = 1\n"}
        status, answer = self.server.init(zipped(failing), binary=True)
        self.assertEqual(502, status)
        self.assertFalse(os.path.exists(os.path.dirname(answer["error"].split(": ")[1])))
        self.check_error(self.server.init("import beside"), 502, "No module named 'beside'")
        self.load(zipped({"__main__.py": "import beside\ndef main(args):\n    return {'beside': beside.VALUE}\n",
                          "beside.py": "VALUE = 2\n"}), binary=True)
        self.assertEqual((200, {"beside": 2}), self.server.run())

    def test_its_folder_goes_with_the_server(self):
        self.load(zipped({"__main__.py": "def main(args):\n    return {'path': __file__}\n"}), binary=True)
        path = self.server.run()[1]["path"]
        self.assertTrue(os.path.exists(path))
        self.server.child.terminate()
        self.server.wait_for_end()
        self.assertFalse(os.path.exists(os.path.dirname(path)))


class Run(WithServer):
    def test_before_init(self):
        self.check_error(self.server.run(), 500, "not initialised")
        self.server.wait_for_sentinels(1)

    def test_exceptions_are_answers(self):
        self.load("import sys\ndef main(args):\n    if args:\n        sys.exit('gone')\n    raise KeyError('key')\n")
        self.assertEqual((200, {"error": "'key'"}), self.server.run())
        self.assertEqual((200, {"error": "gone"}), self.server.run({"exit": 1}))
        self.server.wait_for_sentinels(2)
        self.assertIn("KeyError: 'key'", self.server.lines["stderr"])

    def test_an_exception_that_cannot_tell_itself(self):
        self.load("class Mute(Exception):\n    def __str__(self):\n        raise self\n"
                  "def main(args):\n    raise Mute()\n")
        self.assertEqual((200, {"error": "Mute"}), self.server.run())

    def test_an_action_may_end_the_process(self):
        self.load("import os\ndef main(args):\n    os._exit(7)\n")
        with self.assertRaises(OSError):  # RemoteDisconnected and reset connections are of that kind
            self.server.run()
        self.assertEqual(7, self.server.wait_for_end())

    def test_results(self):
        self.load("def main(args):\n    return eval(args['give'])\n")
        for give, expected in [("[1, 2]", [1, 2]), ("{}", {}), ("{'error': 'told'}", {"error": "told"}),
                               ("{'é': '\\u20ac'}", {"é": "€"})]:
            self.assertEqual((200, expected), self.server.run({"give": give}))
        for give in ("None", "'text'", "7", "(1,)"):
            self.check_error(self.server.run({"give": give}), 502, "did not return a dictionary or array")
        unlike_json = ["{'a': {1}}", "[float('nan')]", "{'a': b'bytes'}", "(lambda l: l.append(l) or l)([])",
                       "type('D', (dict,), {'items': lambda self: 1 / 0})(a=1)"]
        for give in unlike_json:
            self.check_error(self.server.run({"give": give}), 502, "not JSON")
        # Each of them, failed or not, was a run.
        self.server.wait_for_sentinels(8 + len(unlike_json))
        self.assertEqual((8 + len(unlike_json),) * 2, self.server.sentinels())

    def test_malformed_messages(self):
        self.load()
        self.check_error(self.server.post("/run", b"nothing"), 400, "not JSON")
        self.check_error(self.server.post("/run", b"[" * 100_000), 400, "not JSON")
        self.server.wait_for_sentinels(2)
        self.assertEqual((200, {}), self.server.post("/run", {}))

    def test_lines_come_before_the_end_of_their_run(self):
        self.load("import sys\ndef main(args):\n    print('out', args['n'])\n"
                  "    sys.stderr.write(f\"err {args['n']}\\n\")\n    return args\n")
        for n in range(3):
            self.server.run({"n": n})
        self.server.wait_for_sentinels(3)
        for stream, word in [("stdout", "out"), ("stderr", "err")]:
            self.assertEqual([line for n in range(3) for line in (f"{word} {n}", harness.SENTINEL)],
                             self.server.lines[stream])

    def test_frames_come_whatever_the_action_does_to_its_streams(self):
        self.load("import io, sys\ndef main(args):\n    sys.stdout.write('no end of line')\n"
                  "    sys.stdout = sys.stderr = io.StringIO()\n    print('lost')\n    return {}\n")
        self.assertEqual((200, {}), self.server.run())
        harness.wait_until(lambda: all(self.server.lines.values()), "both streams")
        # A line that was begun is ended by nobody: who reads the frames must look at the end of a line.
        self.assertEqual({"stdout": ["no end of line" + harness.SENTINEL], "stderr": [harness.SENTINEL]},
                         self.server.lines)

    def test_an_action_that_closes_its_streams_is_answered(self):
        self.load("import sys\ndef main(args):\n    sys.stdout.close()\n    sys.stderr.close()\n    return {'a': 1}\n")
        self.assertEqual((200, {"a": 1}), self.server.run())
        self.assertEqual(200, self.server.run()[0])

    def test_several_at_once(self):
        # Each waits until all are in: one after the other they would wait in vain.
        self.load("import threading\nALL = threading.Barrier(8)\n"
                  "def main(args):\n    ALL.wait(60)\n    return args\n")
        answers = [None] * 8

        def run(n):
            answers[n] = self.server.run({"n": n})

        threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([(200, {"n": n}) for n in range(8)], answers)
        self.server.wait_for_sentinels(8)
        self.assertEqual((8, 8), self.server.sentinels())

    def test_big_bodies(self):
        self.load()
        text = "x" * (8 << 20)
        self.assertEqual((200, {"text": text}), self.server.run({"text": text}))


class Http(WithServer):
    def setUp(self):
        super().setUp()
        self.load()

    def exchange(self, request, end=True):
        """All that comes back for these bytes until the server closes."""
        with socket.create_connection(self.server.address, timeout=harness.PATIENCE_S) as connection:
            connection.sendall(request)
            if end:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(1 << 16):
                answer += piece
            return answer

    def test_one_connection_serves_many_runs(self):
        connection = http.client.HTTPConnection(*self.server.address, timeout=harness.PATIENCE_S)
        self.addCleanup(connection.close)
        connection.connect()
        first = connection.sock
        for n in range(20):
            connection.request("POST", "/run", b'{"value": {"n": %d}}' % n)
            self.assertEqual((200, {"n": n}), harness.answer_of(connection))
            self.assertIs(first, connection.sock, "the connection was closed")

    def test_pipelined_requests_are_answered_in_turn(self):
        one = b'POST /run HTTP/1.1\r\nContent-Length: 18\r\n\r\n{"value": {"n":%d}}'
        answer = self.exchange(one % 1 + one % 2)
        self.assertEqual(2, answer.count(b"HTTP/1.1 200 OK"))
        self.assertLess(answer.index(b'{"n": 1}'), answer.index(b'{"n": 2}'))

    def test_close_and_http_1_0_end_the_connection(self):
        for request in (b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", b"GET /health HTTP/1.0\r\n\r\n"):
            answer = self.exchange(request, end=False)
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
            self.assertIn(b"Content-Length: 12\r\nConnection: close\r\n", answer)

    def test_a_sender_that_asks_first_is_told_to_go_on(self):
        head = b"POST /run HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        with socket.create_connection(self.server.address, timeout=harness.PATIENCE_S) as connection:
            connection.sendall(head)
            self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", connection.recv(1 << 16))
            connection.sendall(b"{}")
            self.assertTrue(connection.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_what_is_refused(self):
        for request, status in [
            (b"nonsense\r\n\r\n", 400),
            (b"GET /health HTTP/2.0\r\n\r\n", 505),
            (b"GET /nowhere HTTP/1.1\r\n\r\n", 404),
            (b"GET /run HTTP/1.1\r\n\r\n", 405),
            (b"GET /init HTTP/1.1\r\n\r\n", 405),
            (b"POST /health HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
            (b"POST /run HTTP/1.1\r\nno colon\r\n\r\n", 400),
            (b"POST /run HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST /run HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
            (b"POST /run HTTP/1.1\r\nContent-Length: 67108865\r\n\r\n", 413),
            (b"POST /run HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
            (b"POST /run HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
            (b"GET /health HTTP/1.1\r\nLong: " + b"x" * (1 << 17) + b"\r\n\r\n", 431),
        ]:
            with self.subTest(request[:60]):
                answer = self.exchange(request)
                self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer[:80])
                self.assertIn(b"Content-Length: ", answer)
        self.assertEqual(200, self.server.run()[0])

    def test_64_mib_are_not_too_much(self):
        head = b"POST /run HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 67108864\r\n\r\n"
        self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", self.exchange(head))

    def test_clients_that_go_away_harm_nobody(self):
        for request in (b"", b"POST /run HTT", b"POST /run HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"):
            self.assertEqual(b"", self.exchange(request))
        self.assertEqual((0, 0), self.server.sentinels(), "what was not received whole is no run")
        self.assertEqual(200, self.server.run()[0])

    def test_silent_connections_hold_up_nobody(self):
        idle = [socket.create_connection(self.server.address) for _ in range(50)]
        self.addCleanup(lambda: [connection.close() for connection in idle])
        self.assertEqual(200, self.server.run()[0])


class Memory(WithServer):
    options = ("--memory-mib", "64")

    def test_more_than_the_limit_is_an_error_of_the_action(self):
        self.load("KEPT = []\ndef main(args):\n    KEPT.append(bytearray(args['mib'] << 20))\n    return {'ok': 1}\n")
        self.assertEqual((200, {"ok": 1}), self.server.run({"mib": 32}))
        self.assertEqual((200, {"error": "MemoryError"}), self.server.run({"mib": 256}))
        self.assertEqual((200, {"ok": 1}), self.server.run({"mib": 1}))


class End(unittest.TestCase):
    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), harness.Process() as server:
                server.init("import time\ndef main(args):\n    time.sleep(600)\n")
                run = threading.Thread(target=self.run_in_vain, args=(server,))
                run.start()
                began = time.monotonic()
                server.child.send_signal(number)
                self.assertEqual(128 + number, server.wait_for_end())
                self.assertLess(time.monotonic() - began, 30)
                run.join()

    def run_in_vain(self, server):
        with self.assertRaises(OSError):  # RemoteDisconnected and refused connections are of that kind
            server.run()

    def test_with_the_end_of_stdin(self):
        with harness.Process() as server:
            server.child.stdin.write("what is said does not matter\n")
            server.child.stdin.flush()
            self.assertEqual(404, server.post("/", {})[0])
            server.child.stdin.close()
            self.assertEqual(0, server.wait_for_end())

    def test_not_with_the_end_of_stdin_unless_told(self):
        with harness.Process(dies_with_stdin=False) as server:
            server.child.stdin.close()
            time.sleep(0.1)
            self.assertEqual(200, server.init(ECHO)[0])

    def test_a_port_that_is_taken(self):
        with harness.Process() as first:
            port = first.address[1]
            with self.assertRaisesRegex(AssertionError, f"ended with 1: .*cannot listen on 127.0.0.1:{port}: "):
                harness.Process("--port", str(port))
            self.assertEqual(200, first.init(ECHO)[0])

    def test_wrong_options(self):
        for options, text in [(["--nonsense"], "unknown option"), (["--memory-mib", "much"], "takes a whole number"),
                              (["--port"], "needs a value")]:
            with self.subTest(options), self.assertRaisesRegex(AssertionError, text):
                harness.Process(*options)


if __name__ == "__main__":
    unittest.main()
