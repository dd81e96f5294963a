"""The downloader against real servers on the loopback interface, honest and otherwise."""

import dataclasses
import gzip
import hashlib
import resource
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from optkit.atomic import atomic_write
from optkit.data import DamagedData, DownloadError, catalogue, places
from optkit.data.catalogue import PublishedFile
from optkit.data.download import download
from optkit.data.published import load_idx

CONTENTS = np.random.default_rng(0).bytes(300_000)
BREAK = 100_000  # how many bytes a bad server sends before it hangs up


class Server:
    """A server that answers each request with the next of its behaviours, and the last one from then on."""

    def __init__(self, contents=CONTENTS):
        self.files = {"/file": contents}
        self.behaviours = ["honest"]
        self.requests = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                number = min(len(outer.requests), len(outer.behaviours) - 1)
                outer.requests.append((self.path, self.headers.get("Range")))
                self.close_connection = True
                getattr(self, outer.behaviours[number])(outer.files.get(self.path))

            def reply(self, code, body, length=None, **headers):
                self.send_response(code)
                if length is not None:
                    self.send_header("Content-Length", str(length))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def start(self):
                return int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").removesuffix("-"))

            def honest(self, contents, stop=None):
                if contents is None:
                    return self.reply(404, b"", 0)
                start, total = self.start(), len(contents)
                body = contents[start:]
                if start == 0:
                    return self.reply(200, body[:stop], len(body))
                if start >= total:
                    return self.reply(416, b"", 0, Content_Range=f"bytes */{total}")
                where = f"bytes {start}-{total - 1}/{total}"
                return self.reply(206, body[:stop], len(body), Content_Range=where)

            def hang_up(self, contents):
                self.honest(contents, stop=BREAK)

            def hang_up_at_once(self, contents):
                self.honest(contents, stop=0)

            def hang_up_without_length(self, contents):
                self.reply(200, contents[:BREAK])

            def ignore_range(self, contents):
                self.reply(200, contents, len(contents))

            def wrong_range(self, contents):
                self.reply(206, contents, len(contents), Content_Range=f"bytes 0-{len(contents) - 1}/*")

            def other_version(self, contents):
                self.honest(bytes(len(contents)), stop=BREAK)

            def before_it_shrank(self, contents):
                self.reply(200, CONTENTS[:BREAK], len(CONTENTS))

            def longer(self, contents):
                self.honest(contents + contents)

            def wrong(self, contents):
                self.reply(200, b"<html>log in first</html>", 25)

            def forbidden(self, contents):
                self.reply(403, b"", 0)

            def busy(self, contents):
                self.reply(503, b"", 0)

            def not_http(self, contents):
                self.wfile.write(b"what?\r\n\r\n")

            def log_message(self, *arguments):
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/file"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        yield server


def check(path):
    if path.read_bytes() != CONTENTS:
        raise DamagedData(f"expected {len(CONTENTS):,} bytes, got {path.stat().st_size:,} others")


def fetch(server, folder, **changes):
    return download([server.address], folder / "new" / "file", check=check, **({"pause": 0.0} | changes))


def files(folder):
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_an_honest_server_gives_the_file_at_once(server, tmp_path):
    path = fetch(server, tmp_path)
    assert path.read_bytes() == CONTENTS
    assert server.requests == [("/file", None)]
    assert files(tmp_path) == ["file"]


def test_a_broken_download_goes_on_where_it_broke(server, tmp_path):
    server.behaviours = ["hang_up", "hang_up", "honest"]
    assert fetch(server, tmp_path).read_bytes() == CONTENTS
    assert [asked for _, asked in server.requests] == [None, f"bytes={BREAK}-", f"bytes={2 * BREAK}-"]


@pytest.mark.parametrize("behaviour", ["ignore_range", "wrong_range"])
def test_a_server_that_ignores_the_range_is_read_from_the_start(server, tmp_path, behaviour):
    server.behaviours = ["hang_up", behaviour]
    assert fetch(server, tmp_path).read_bytes() == CONTENTS
    assert [asked for _, asked in server.requests] == [None, f"bytes={BREAK}-"]


def test_a_file_that_changed_between_two_tries_is_fetched_anew(server, tmp_path):
    server.behaviours = ["other_version", "honest", "honest"]
    assert fetch(server, tmp_path).read_bytes() == CONTENTS
    assert [asked for _, asked in server.requests] == [None, f"bytes={BREAK}-", None]


def test_a_range_that_is_not_there_makes_it_start_anew(server, tmp_path):
    server.files["/file"] = CONTENTS[:50_000]  # the server's file shrinks after the first try
    server.behaviours = ["before_it_shrank", "honest"]
    download([server.address], tmp_path / "file", check=lambda path: None, pause=0.0)
    assert (tmp_path / "file").read_bytes() == CONTENTS[:50_000]
    assert [asked for _, asked in server.requests] == [None, f"bytes={BREAK}-", None]


@pytest.mark.parametrize(
    ("behaviour", "tried", "reason"),
    [
        ("wrong", 1, "expected 300,000 bytes, got 25 others"),
        ("hang_up_without_length", 1, "expected 300,000 bytes, got 100,000 others"),
        ("longer", 1, "expected 300,000 bytes, got 600,000 others"),
        ("forbidden", 1, "the server answered 403"),
        ("busy", 4, "gave up after 4 tries, 0 bytes received; last: HTTP Error 503"),
        (
            "hang_up_at_once",
            4,
            "gave up after 4 tries, 0 bytes received; last: the connection closed after 0 of",
        ),
        ("not_http", 4, "gave up after 4 tries"),
    ],
)
def test_a_failure_is_explained_and_leaves_nothing_behind(server, tmp_path, behaviour, tried, reason):
    server.behaviours = [behaviour]
    with pytest.raises(DownloadError) as error:
        fetch(server, tmp_path, tries=4)
    assert reason in str(error.value) and server.address in str(error.value)
    assert len(server.requests) == tried
    assert files(tmp_path) == []


def test_a_failure_leaves_an_older_file_as_it_was(server, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file").write_bytes(b"older")
    server.behaviours = ["hang_up", "wrong"]
    with pytest.raises(DownloadError):
        fetch(server, tmp_path)
    assert (tmp_path / "new" / "file").read_bytes() == b"older" and files(tmp_path) == ["file"]


def test_a_disk_that_takes_no_more_is_not_asked_again(server, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (BREAK, hard))
    try:
        with pytest.raises(
            DownloadError, match=r"cannot be written, and nothing was: .*File too large.*room"
        ):
            fetch(server, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(server.requests) == 1 and files(tmp_path) == []


def test_a_file_where_the_folder_should_be_is_named(server, tmp_path):
    (tmp_path / "new").write_text("in the way")
    with pytest.raises(DownloadError, match=r"cannot be written.*OPTKIT_DATA to another folder"):
        fetch(server, tmp_path)
    assert server.requests == [] and (tmp_path / "new").read_text() == "in the way"


def test_an_absent_file_is_not_asked_for_twice_and_the_next_address_is_tried(server, tmp_path):
    absent = server.address.replace("/file", "/absent")
    path = download([absent, server.address], tmp_path / "file", check=check, pause=0.0)
    assert path.read_bytes() == CONTENTS
    assert [path for path, _ in server.requests] == ["/absent", "/file"]
    with pytest.raises(DownloadError, match="404") as error:
        download([absent, absent + "2"], tmp_path / "other", check=check, pause=0.0)
    assert absent + "2" in str(error.value)


def test_a_server_that_is_not_there_is_explained(server, tmp_path):
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(DownloadError, match="gave up after 2 tries"):
        fetch(server, tmp_path, tries=2)
    assert files(tmp_path) == []


def test_an_interrupt_leaves_nothing_behind(server, tmp_path):
    def interrupted(path):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download([server.address], tmp_path / "file", check=interrupted)
    assert files(tmp_path) == []


def test_the_pauses_double_and_tries_must_be_positive(server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    server.behaviours = ["busy"]
    with pytest.raises(DownloadError):
        fetch(server, tmp_path, tries=4, pause=0.5)
    assert pauses == [0.5, 1.0, 2.0]
    with pytest.raises(ValueError, match="tries must be >= 1, got 0"):
        fetch(server, tmp_path, tries=0)


def test_the_bar_is_quiet_where_there_is_no_terminal(server, tmp_path, capfd):
    fetch(server, tmp_path, progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_whole_set_is_downloaded_checked_and_read(server, tmp_path, monkeypatch):
    def idx(array):
        return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()

    published = []
    for part, count in (("train", 20), ("t10k", 10)):
        images = np.full((count, 3, 2), 9, dtype=np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", images[:, 0, 0])):
            contents = idx(array)
            server.files[f"/set/{part}-{name}-ubyte.gz"] = gzip.compress(contents)
            checksum = f"sha256:{hashlib.sha256(contents).hexdigest()}"
            published.append(PublishedFile(f"{part}-{name}-ubyte.gz", checksum, len(contents)))
    address = server.address.replace("/file", "/set")
    entry = dataclasses.replace(catalogue.MNIST, folder="small", files=tuple(published), addresses=(address,))
    monkeypatch.setenv("OPTKIT_DATA", str(tmp_path))
    monkeypatch.setattr(places, "DEBIAN_ROOT", tmp_path / "debian")
    monkeypatch.setattr(places, "cache_root", lambda: tmp_path / "cache")

    # One of four is no good: the good ones stay, whole, and the next call fetches only what is missing.
    good = server.files["/set/t10k-images-idx3-ubyte.gz"]
    server.files["/set/t10k-images-idx3-ubyte.gz"] = good[:-9]
    with pytest.raises(DownloadError, match=r"t10k-images-idx3-ubyte\.gz could not be downloaded"):
        load_idx(entry, download=True)
    assert sorted(files(tmp_path)) == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    server.files["/set/t10k-images-idx3-ubyte.gz"] = good
    server.requests.clear()
    data = load_idx(entry, download=True)
    assert (data.train_images == 9).all() and data.test_images.shape == (10, 1, 3, 2)
    assert [path for path, _ in server.requests] == [
        "/set/t10k-images-idx3-ubyte.gz",
        "/set/t10k-labels-idx1-ubyte.gz",
    ]
    server.requests.clear()
    load_idx(entry, download=True)
    assert server.requests == []


def test_an_atomic_write_shows_nothing_before_its_end(tmp_path):
    path = tmp_path / "table"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"new" and files(tmp_path) == ["table"]
