"""A client of Towline with nothing but Python's standard library: HTTP over the Unix socket of the daemon.

    from towline import TaskFailed, Towline

    with Towline().run({"image": "docker://debian:12", "command": ["date"]}) as task:
        for line in task.lines():
            print(line)
        task.wait()

Copy this file next to your script and change what you like. It goes on when the daemon is restarted in the
middle; leaving the block by an exception, KeyboardInterrupt too, cancels the task. All routes and all that a
task can have: docs/openapi.json.
"""

import http.client
import json
import os
import socket
import time
import uuid
from urllib.parse import quote, urlencode

RECONNECT_SECONDS = 600
"""How long to wait for a daemon that was there and went away."""


class TowlineError(Exception):
    """code says what it is (docs/errors.md), message what failed and why, hint what to do next."""

    def __init__(self, code, message, hint="", context=None):
        super().__init__(f"{code}: {message} ({hint})" if hint else f"{code}: {message}")
        self.code, self.message, self.hint, self.context = code, message, hint, context or {}


class TaskFailed(TowlineError):
    """A task that did not succeed; task is all that is known of it."""

    def __init__(self, task):
        said = task.get("failure") or {
            "code": "TASK_CANCELLED",
            "message": f"task {task['id']} was {task['state']}",
            "hint": f"run it again: towline retry {task['id']}",
        }
        super().__init__(said["code"], said["message"], said.get("hint", ""), said.get("context"))
        self.task, self.exit_code = task, task.get("exitCode")


class Towline:
    """The daemon behind a socket, by default the one that the command line would find."""

    def __init__(self, socket_path=None):
        self.socket_path = socket_path or find_socket()
        self._has_answered = False

    def submit(self, *tasks, key=None):
        """Submits tasks, all or none, and gives what is known of them. The same key submits only once."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self._call("POST", "/v1/tasks", body=list(tasks), headers=headers)["tasks"]

    def run(self, task, key=None):
        """Submits one task and gives a hold on it."""
        return Task(self, self.submit(task, key=key)[0])

    def get(self, id, wait=0):
        """The task as it stands, or once it has ended; after `wait` seconds in any case."""
        return self._call("GET", f"/v1/tasks/{quote(id)}", {"wait": wait} if wait else {})

    def cancel(self, id):
        return self._call("POST", f"/v1/tasks/{quote(id)}/cancel")

    def logs(self, id, stream="stdout", attempt=1, offset=0):
        """The bytes of a stream until it is complete; after a lost connection it goes on at the right one."""
        path = f"/v1/tasks/{quote(id)}/logs/{stream}"
        tries = _Tries(self)
        while True:
            try:
                query = {"attempt": attempt, "offset": offset, "follow": "true"}
                response = self._open("GET", path, query)
                while chunk := response.read1(65536):
                    offset += len(chunk)
                    yield chunk
                return
            except (OSError, http.client.HTTPException, TowlineError) as error:
                tries.failed(error)

    def _call(self, method, path, query=None, body=None, headers=None):
        tries = _Tries(self)
        while True:
            try:
                return json.load(self._open(method, path, query, body, headers))
            except (OSError, http.client.HTTPException, TowlineError) as error:
                tries.failed(error)

    def _open(self, method, path, query=None, body=None, headers=None):
        connection = _Connection(self.socket_path)
        headers = dict(headers or {})
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        connection.request(method, f"{path}?{urlencode(query or {})}", body, headers)
        response = connection.getresponse()
        self._has_answered = True
        if response.status >= 400:
            said = json.load(response)["error"]
            raise TowlineError(said["code"], said["message"], said["hint"], said.get("context"))
        return response


class Task:
    """A task that was submitted. As the target of `with` it is cancelled when the block is left by an exception."""

    def __init__(self, towline, view):
        self.towline, self.id, self._view = towline, view["id"], view

    def stdout(self):
        """Its bytes as they come, each time from the first one on; those of all attempts one after the other."""
        for chunks in self._attempts("stdout"):
            yield from chunks

    def stderr(self):
        for chunks in self._attempts("stderr"):
            yield from chunks

    def lines(self):
        """The lines of stdout as text, without their newline."""
        for chunks in self._attempts("stdout"):
            rest = b""
            for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace")
            if rest:
                yield rest.decode(errors="replace")

    def wait(self, check=True):
        """The task once it has ended, its outputs delivered. With check a TaskFailed is raised unless it succeeded."""
        while not self._view["ended"]:
            self._view = self.towline.get(self.id, wait=60)
        if check and self._view["state"] != "succeeded":
            raise TaskFailed(self._view)
        return self._view

    def cancel(self):
        try:
            self.towline.cancel(self.id)
        except TowlineError as error:
            if error.code != "TASK_WRONG_STATE":  # it has ended: wait() tells how
                raise

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.cancel()

    def _attempts(self, stream):
        attempt, last = 1, self._view["attempt"]
        while attempt <= last:
            yield self.towline.logs(self.id, stream, attempt)
            if self._view["asked"]["retries"]:
                view = self.towline.get(self.id)
                while not view["ended"] and view["attempt"] == attempt:
                    view = self.towline.get(self.id, wait=1)
                last = view["attempt"]
            attempt += 1


class _Tries:
    """Waits for a daemon that was there before, a little longer each time."""

    def __init__(self, towline):
        self.towline, self.since, self.tried, self.pause = towline, 0, float("-inf"), 0

    def failed(self, error):
        """Returns when it is time to try again. Raises what trying again will not mend."""
        if isinstance(error, TowlineError) and error.code not in ("DAEMON_STOPPING", "DAEMON_BUSY"):
            raise error
        now = time.monotonic()
        if now - self.tried > 5:  # what lasted so long was a good connection
            self.since, self.pause = now, 0.05
        if not self.towline._has_answered or now - self.since > RECONNECT_SECONDS:
            path = self.towline.socket_path
            hint = "start it: towline daemon"
            raise TowlineError("DAEMON_NOT_RUNNING", f"{path}: {error}", hint) from error
        time.sleep(self.pause)
        self.tried, self.pause = time.monotonic(), min(2, self.pause * 2)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("towline")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


def find_socket():
    """$TOWLINE_SOCKET, else the usual places. One that the configuration sets is not looked for."""
    if os.environ.get("TOWLINE_SOCKET"):
        return os.environ["TOWLINE_SOCKET"]
    home = os.path.expanduser("~")
    places = [
        os.path.join(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent", "towline/towline.sock"),
        f"/run/towline/{os.environ.get('USER', '')}/towline.sock",
        os.path.join(home, ".local/state/towline/towline.sock"),
    ]
    return next((place for place in places if os.path.exists(place)), places[-1])
