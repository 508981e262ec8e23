#!/usr/bin/env python3
"""The runtime server of one worker: takes an action's code by POST /init and calls it by POST /run.

Owns the HTTP protocol of the OpenWhisk runtimes, the framing of the log streams and the memory limit of the
process. Must never import more than it needs to listen (a cold start waits for it), need anything beside the
standard library, judge what an action returns beyond its being JSON, or outlive its owner.
"""

import json
import os
import signal
import socket
import sys
import threading
import time

USAGE = """usage: server.py [options]
  --host ADDRESS     address to listen on (0.0.0.0)
  --port PORT        port to listen on (8080); 0: any free one, told as FAASSIM_PORT=NNNN on the first line of stdout
  --memory-mib N     memory that the action may take
  --label TEXT       ignored; to be recognised by in a list of processes
  --die-with-stdin   end when stdin ends
"""
SENTINEL = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n"
LARGEST_BODY = 64 << 20
LARGEST_HEAD = 64 << 10
# What interpreter, server and the stacks of a few threads take beside the action.
ALLOWANCE_MIB = 64
# How long the rest of a refused request is read, so that its sender sees the answer and not a reset.
DRAIN_SECONDS = 2.0
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
           413: "Content Too Large", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
           502: "Bad Gateway", 505: "HTTP Version Not Supported"}
# Actions may replace sys.stdout; the frames go to the streams that the server was started with.
STREAMS = (sys.stdout, sys.stderr)


class Refused(Exception):
    """A request that is answered with a status other than 200 and `{"error": text}`."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        self.text = text


# ----- the action -----

class Action:
    """The one action of this process: first nothing, then its entry function."""

    def __init__(self):
        self.initialising = threading.Lock()
        self.entry = None
        self.folder = None
        self.home = None

    def init(self, message):
        """Loads the code of an /init message. One that failed may be tried again."""
        with self.initialising:
            if self.entry is not None:
                raise Refused(403, "Cannot initialize the action more than once.")
            code, name, binary, env = init_fields(message)
            if binary:
                code = from_base64(code)
            export(env)
            try:
                self.entry = entry_of(self.unpacked(code) if binary else load(code, "<action>"), name)
            except BaseException as error:  # whatever the code raises, SystemExit too, is its failure
                print_traceback()
                self.forget_folder()
                raise Refused(502, f"The action failed to load: {told(error)}") from None
        return {"ok": True}

    def unpacked(self, packed):
        """Loads `__main__.py` of a zip; what lies beside it can be imported and opened."""
        import io
        import tempfile
        import zipfile
        self.home = os.getcwd()
        self.folder = tempfile.mkdtemp(prefix="faassim-action-")
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            archive.extractall(self.folder)
        main = os.path.join(self.folder, "__main__.py")
        if not os.path.exists(main):
            raise ImportError("the zip has no __main__.py at its top")
        for scripts in ("bin", "Scripts"):
            activate = os.path.join(self.folder, "virtualenv", scripts, "activate_this.py")
            if os.path.exists(activate):
                exec(compile(text_of(activate), activate, "exec"), {"__file__": activate, "__name__": "__main__"})
                break
        sys.path.insert(0, self.folder)
        os.chdir(self.folder)
        return load(text_of(main), main)

    def run(self, message):
        """Calls the entry function with the `value` of a /run message."""
        if self.entry is None:
            raise Refused(500, "Cannot run: the action is not initialised.")
        # The environment is one for all: concurrent runs see the fields of the last one.
        export({"__OW_" + key.upper(): value for key, value in message.items() if key != "value" and value is not None})
        try:
            result = self.entry(message.get("value", {}))
        except BaseException as error:  # SystemExit too: an exit in a thread would end in no answer
            print_traceback()
            return {"error": told(error)}
        if not isinstance(result, (dict, list)):
            raise Refused(502, "The action did not return a dictionary or array.")
        return result

    def forget_folder(self):
        """Undoes `unpacked`, so that a second try finds no module of the first."""
        if self.folder is None:
            return
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(self.folder + os.sep):
                del sys.modules[name]
        if self.folder in sys.path:
            sys.path.remove(self.folder)
            os.chdir(self.home)
        self.remove_folder()

    def remove_folder(self):
        if self.folder is not None:
            import shutil
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def init_fields(message):
    """Code, entry, whether it is a zip, and environment of an /init message."""
    value = message.get("value") or {}
    if not isinstance(value, dict):
        raise Refused(400, "The value of /init is not an object.")
    code, name, env = value.get("code") or "", value.get("main") or "main", value.get("env") or {}
    if not isinstance(code, str) or not isinstance(name, str) or not isinstance(env, dict):
        raise Refused(400, "Code and main of /init must be texts, env an object.")
    if not code:
        raise Refused(403, "Missing main/no code to execute.")
    return code, name, bool(value.get("binary")), env


def from_base64(code):
    import base64
    try:
        return base64.b64decode(code, validate=True)
    except ValueError as error:
        raise Refused(400, f"The code is not base64: {error}") from None


def load(source, filename):
    """Runs the source as a module. Its name is not `__main__`, so that a guarded self-test in it stays quiet."""
    module = type(sys)("main__")
    module.__file__ = filename
    sys.modules["main__"] = module
    exec(compile(source, filename, "exec"), module.__dict__)
    return module


def entry_of(module, name):
    entry = getattr(module, name, None)
    if not callable(entry):
        raise ImportError(f"the code has no function {name!r}")
    return entry


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def export(variables):
    """Sets variables of the environment."""
    for name, value in variables.items():
        try:
            os.environ[name] = as_text(value)
        except (OSError, ValueError) as error:  # an empty name, one with `=`, a NUL
            raise Refused(400, f"The variable {name!r} of the environment cannot be set: {error}") from None


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value)


def told(error):
    try:
        return str(error) or type(error).__name__
    except Exception:  # an exception of the action's own, that cannot tell what it is
        return type(error).__name__


# ----- the log streams -----

def print_traceback():
    try:
        import traceback
        traceback.print_exc()
    except Exception:  # out of memory, or the action closed the stream: the answer matters more
        pass


def end_frame():
    """Tells on both streams that all lines of a run are out."""
    for stream in STREAMS:
        try:
            stream.write(SENTINEL)
            stream.flush()
        except (OSError, ValueError):  # nobody reads it, or the action closed it
            pass


# ----- HTTP -----

def read_line(reader, room):
    """The next line without its end; `None` when the stream ends before it does."""
    line = reader.readline(room)
    if len(line) >= room:
        raise Refused(431, f"The head of a request must be smaller than {LARGEST_HEAD} bytes.")
    return line.rstrip(b"\r\n") if line.endswith(b"\n") else None


def read_headers(reader):
    """Header fields by name in lower case; `None` when the stream ends before they do."""
    headers, room = {}, LARGEST_HEAD
    while True:
        line = read_line(reader, room)
        if not line:
            return line if line is None else headers
        room -= len(line) + 2
        name, colon, value = line.partition(b":")
        name = name.decode("latin-1").lower()
        if not colon or not name or name != name.strip() or (name == "content-length" and name in headers):
            raise Refused(400, "A header of the request is malformed.")
        headers[name] = value.strip().decode("latin-1")


def body_length(headers):
    if "transfer-encoding" in headers:
        raise Refused(400, "Chunked bodies are not taken: send a Content-Length.")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Refused(400, "The Content-Length is not a number.")
    if len(length) > 18 or int(length) > LARGEST_BODY:
        raise Refused(413, f"A request may have at most {LARGEST_BODY} bytes.")
    return int(length)


def read_request(reader, connection):
    """Method, path, body and whether the connection stays open; `None` when the stream has ended."""
    line = b""
    while line == b"":
        line = read_line(reader, LARGEST_HEAD)
    if line is None:
        return None
    words = line.decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise Refused(400, "The request line is malformed.")
    method, target, version = words
    if not version.startswith("HTTP/1."):
        raise Refused(505, "Only HTTP/1.1 is spoken here.")
    headers = read_headers(reader)
    if headers is None:
        return None
    length = body_length(headers)
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = reader.read(length)
    if len(body) < length:
        return None
    keep = "close" not in headers.get("connection", "").lower() and version != "HTTP/1.0" and method != "HEAD"
    return method, target.partition("?")[0], body, keep


def response(status, answer, keep):
    """A whole HTTP response with a JSON body."""
    try:
        # A result that is not JSON is found here, not in `run`, so that it is written only once.
        body = json.dumps(answer, allow_nan=False).encode()
    except Exception as error:  # TypeError mostly; RuntimeError if another run changes what this one returned
        print_traceback()
        status, body = 502, json.dumps({"error": f"The action's result is not JSON: {told(error)}"}).encode()
    head = (f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n")
    if status == 405:
        head += "Allow: GET, POST\r\n"
    return head.encode() + b"\r\n" + body


def message_of(body):
    """The JSON object in a body."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"The body is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise Refused(400, "The body is not a JSON object.")
    return message


def route(action, method, path, body):
    """The answer to a request."""
    methods = {"/init": "POST", "/run": "POST", "/health": "GET"}
    if path not in methods:
        raise Refused(404, f"There is no {path}.")
    if method != methods[path]:
        raise Refused(405, f"{path} takes {methods[path]} only.")
    if path == "/health":
        return {"ok": True}
    return (action.init if path == "/init" else action.run)(message_of(body))


def answer_to(action, method, path, body, keep):
    """The response to a request, once its lines are out on the log streams."""
    try:
        try:
            packed = response(200, route(action, method, path, body), keep)
        except Refused as refused:
            packed = response(refused.status, {"error": refused.text}, keep)
        except MemoryError:
            packed = response(500, {"error": "The server is out of memory."}, keep)
        return packed
    finally:
        if method == "POST" and path == "/run":
            end_frame()


def drain(connection):
    """Reads on for a moment what a refused sender still sends."""
    until = time.monotonic() + DRAIN_SECONDS
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(DRAIN_SECONDS)
    while time.monotonic() < until and connection.recv(1 << 16):
        pass


def serve(action, connection):
    """Answers the requests of one connection, one after the other."""
    with connection, connection.makefile("rb") as reader:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                try:
                    request = read_request(reader, connection)
                except MemoryError:
                    raise Refused(500, "The server is out of memory.") from None
                if request is None:
                    return
                connection.sendall(answer_to(action, *request))
                if not request[-1]:
                    return
        except Refused as refused:
            try:
                connection.sendall(response(refused.status, {"error": refused.text}, False))
                drain(connection)
            except OSError:
                pass
        except OSError:  # the client went away
            pass


# ----- the process -----

def limit_memory(mib):
    """Bounds what this process may allocate: more is a MemoryError in the action that asks for it.

    RLIMIT_DATA and not RLIMIT_AS, since the latter also counts what is only reserved: 64 MiB of addresses for the
    allocator of each thread and the text of each library, hundreds of MiB with numpy that nobody uses.
    """
    import resource
    size = (mib + ALLOWANCE_MIB) << 20
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def leave(action, status):
    action.remove_folder()
    os._exit(status)


def leave_with_stdin(action):
    while os.read(0, 1 << 16):
        pass
    leave(action, 0)


def options_of(words):
    """The command line as a dictionary. By hand: argparse would take as long to import as all the rest."""
    options = {"--host": "0.0.0.0", "--port": 8080, "--memory-mib": 0, "--label": "", "--die-with-stdin": False}
    words = list(words)
    while words:
        name, equals, value = words.pop(0).partition("=")
        if name in ("-h", "--help"):
            print(USAGE, end="")
            sys.exit(0)
        if name not in options or (equals and name == "--die-with-stdin"):
            sys.exit(f"server.py: unknown option {name}\n{USAGE}")
        if name == "--die-with-stdin":
            options[name] = True
            continue
        if not equals and not words:
            sys.exit(f"server.py: {name} needs a value\n{USAGE}")
        value = value if equals else words.pop(0)
        if isinstance(options[name], int):
            if not (value.isascii() and value.isdigit()):
                sys.exit(f"server.py: {name} takes a whole number, not {value!r}")
            value = int(value)
        options[name] = value
    return options


def listener_of(host, port):
    """A listening socket; a line on stderr and the end where there is none to be had."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        sys.exit(f"server.py: cannot listen on {host}:{port}: {error}")
    return listener


def start(work, *arguments):
    """Starts a thread that does not keep the process alive."""
    threading.Thread(target=work, args=arguments, daemon=True).start()


def accept_all(action, listener):
    """A thread for each connection, for ever."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # no file descriptors are left: some will be
            time.sleep(0.01)
            continue
        try:
            start(serve, action, connection)
        except (RuntimeError, MemoryError):  # no room for a thread: the client sees the end of the connection
            connection.close()


def main(words):
    options = options_of(words)
    sys.stdout.reconfigure(line_buffering=True)  # what an action printed is told even if it is killed
    action = Action()
    # As PID 1 of a container the process gets no signal that it does not ask for.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: leave(action, 128 + number))
    listener = listener_of(options["--host"], options["--port"])
    if options["--port"] == 0:
        print(f"FAASSIM_PORT={listener.getsockname()[1]}", flush=True)
    if options["--die-with-stdin"]:
        start(leave_with_stdin, action)
    if options["--memory-mib"]:
        limit_memory(options["--memory-mib"])
    accept_all(action, listener)


if __name__ == "__main__":
    main(sys.argv[1:])
