"""Calls of the built programs in networks of their own, for tools/roaming and tools/attack: two homes behind routers,
a public network with the server between them. Each network belongs to a process of ours and goes with it."""
import json
import math
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

WIDTH, HEIGHT, RATE = 320, 240, 30


class Obstacle(Exception):
    """Why nothing could be measured."""


class Networks:
    """PUB with the server, routers RA and RB, homes A and B: each a network of a process of ours."""

    NAMES = ["PUB", "RA", "RB", "A", "B"]

    def __init__(self, left, right):
        self.holders = {}
        try:
            for name in self.NAMES:
                self.holders[name] = subprocess.Popen(["unshare", "--net", "sleep", "86400"])
            own = os.readlink("/proc/self/ns/net")
            for holder in self.holders.values():
                end = time.monotonic() + 10
                while os.readlink(f"/proc/{holder.pid}/ns/net") == own:
                    if time.monotonic() > end or holder.poll() is not None:
                        raise Obstacle("no network of its own: is this root?")
                    time.sleep(0.01)
            done = subprocess.run(
                [str(pathlib.Path(__file__).with_name("networks")), left, right], capture_output=True, text=True,
                env=dict(os.environ, **{name: str(holder.pid) for name, holder in self.holders.items()}))
            if done.returncode:
                raise Obstacle(f"networks: {done.stderr.strip()}")
        except Exception:
            self.close()
            raise

    def prefix(self, name):
        return ["nsenter", f"--net=/proc/{self.holders[name].pid}/ns/net", "--"]

    def run(self, name, command):
        done = subprocess.run(self.prefix(name) + command.split(), capture_output=True, text=True)
        if done.returncode:
            raise Obstacle(f"{command}: {done.stderr.strip()}")
        return done.stdout

    def rules(self, name, text):
        done = subprocess.run(
            self.prefix(name) + ["nft", "-f", "-"], input=text, capture_output=True, text=True)
        if done.returncode:
            raise Obstacle(f"nft: {done.stderr.strip()}")

    def close(self):
        for holder in self.holders.values():
            holder.kill()
            holder.wait()


class Film:
    """Numbered pictures into a pipe, and when each began to be written. Bars move; the number stands above them, a bit
    in each of 16 bright or dark columns, which no encoder makes unreadable."""

    BITS, MARK = 16, 32
    COLUMN = WIDTH // BITS

    def __init__(self, path):
        self.path, self.sent, self.is_paused, self.is_over = path, {}, False, False
        os.mkfifo(path)
        row = bytes(int(126 + 100 * math.sin(x / 9)) for x in range(WIDTH))
        self.rows = [(row[n:] + row[:n]) * (HEIGHT - self.MARK) for n in range(WIDTH)]
        threading.Thread(target=self.play, daemon=True).start()

    def picture(self, number):
        bits = ((number >> place) & 1 for place in range(self.BITS))
        marks = b"".join((b"\xeb" if bit else b"\x10") * self.COLUMN for bit in bits)
        return b"FRAME\n" + marks * self.MARK + self.rows[number % WIDTH] + b"\x80" * (WIDTH * HEIGHT // 2)

    @classmethod
    def number(cls, picture):
        """As it was decoded."""
        line = cls.MARK // 2 * WIDTH + cls.COLUMN // 2
        return sum((picture[line + place * cls.COLUMN] > 126) << place for place in range(cls.BITS))

    def play(self):
        try:
            with open(self.path, "wb", buffering=0) as pipe:
                pipe.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420\n".encode())
                due, number = time.monotonic(), 0
                while not self.is_over:
                    due += 1 / RATE
                    time.sleep(max(0, due - time.monotonic()))
                    number += 1
                    if self.is_paused:
                        continue
                    self.sent[number % (1 << self.BITS)] = time.monotonic()
                    left = memoryview(self.picture(number))
                    while left:
                        left = left[pipe.write(left):]
        except BrokenPipeError:
            pass


class Member:
    """One p2pcall in one of the homes: which pictures it decoded and when, what it was told and heard."""

    def __init__(self, networks, folder, binaries, name, home, options, room):
        self.name = name
        self.times, self.numbers, self.links, self.heard, self.left = [], [], [], [], []
        self.film = Film(str(folder / f"{name}-film.y4m"))
        self.said = 0
        self.fifo = str(folder / f"{name}.y4m")
        os.mkfifo(self.fifo)
        threading.Thread(target=self.watch_pictures, daemon=True).start()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            networks.prefix(home) + [
                str(binaries / "p2pcall"), "join", "-", "--name", name, "--view", f"pipe:{self.fifo}",
                "--video", f"pipe:{self.film.path}", "--audio", "tone",
                "--play", "none", "--events", "json"] + options,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment(folder, name))
        threading.Thread(target=self.watch_events, daemon=True).start()
        self.write(room)

    def write(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def say(self):
        self.said += 1
        self.write(f"line {self.said} of {self.name}")

    def watch_events(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            kind, now = event.get("event"), time.monotonic()
            if kind == "link":
                self.links.append((now, event.get("path")))
            elif kind == "peer-left":
                self.left.append(now)
            elif kind == "chat" and event.get("from") != self.name:
                self.heard.append(event.get("text", ""))

    def watch_pictures(self):
        with open(self.fifo, "rb") as pipe:
            pipe.readline()
            while pipe.readline():
                picture = pipe.read(WIDTH * HEIGHT * 3 // 2)
                if len(picture) < WIDTH * HEIGHT * 3 // 2:
                    return
                self.numbers.append(Film.number(picture))
                self.times.append(time.monotonic())

    def back_after(self, since):
        """Seconds from then to the end of the longest gap that ends later, if one picture and more is missing in
        it: else 0. Infinite without pictures of late."""
        times = self.times[:]
        if not times or times[-1] < time.monotonic() - 0.5:
            return float("inf")
        gaps = [(b - a, b) for a, b in zip(times, times[1:]) if b > since]
        longest, end = max(gaps, default=(0, since))
        return end - since if longest > 2.5 / RATE else 0.0

    def latest(self, sender, since):
        """How much later than usual the latest of the sender's pictures is that was shown from then on, in seconds."""
        shown = list(zip(self.times[:], self.numbers[:]))
        ages = [(time_shown, time_shown - sender.film.sent[number]) for time_shown, number in shown]
        usual = statistics.median(age for time_shown, age in ages if time_shown < since)
        return max((age - usual for time_shown, age in ages if time_shown >= since), default=float("inf"))

    def close(self):
        self.film.is_over = True
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()


def environment(folder, name):
    return dict(
        os.environ, XDG_CONFIG_HOME=str(folder / name / "config"), XDG_STATE_HOME=str(folder / name / "state"))


class Call:
    """A server, and members who see each other."""

    def __init__(self, binaries, left, right, options, members=(("Ann", "A"), ("Ben", "B"))):
        self.binaries, self.options = binaries, options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="roaming-"))
        self.members, self.server, self.relay = [], None, None
        self.lan, self.wan = 2, 11
        self.networks = Networks(left, right)
        try:
            granted = self.start_relay() if "symmetric" in (left, right) else []
            self.server = subprocess.Popen(
                self.networks.prefix("PUB") + [
                    str(binaries / "p2pcall-rendezvous"), "--listen", "203.0.113.1:7443", "--events", "json"] + granted,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                env=environment(self.folder, "server"))
            listening = json.loads(self.server.stdout.readline())
            threading.Thread(target=self.server.stdout.read, daemon=True).start()
            trust = ["--server", listening["address"], "--server-pin", listening["pin"]]
            self.trust = trust
            self.room = subprocess.run(
                self.networks.prefix("PUB") + [str(binaries / "p2pcall"), "room", "create"] + trust,
                capture_output=True, text=True, env=environment(self.folder, "owner")).stdout.split("\n")[0]
            for name, home in members:
                self.join(name, home)
                time.sleep(0.5)
            end = time.monotonic() + 20
            while not all(len(m.times) > 3 * RATE for m in self.members):
                if time.monotonic() > end:
                    raise Obstacle("the two did not see each other within 20 s")
                time.sleep(0.1)
        except Exception:
            self.close()
            raise

    def start_relay(self):
        """coturn beside the server, without the deny list that is shipped, on which the addresses here are."""
        coturn = shutil.which("turnserver")
        if not coturn:
            raise Obstacle("there is no turnserver; install coturn")
        secret = self.folder / "turn-secret"
        secret.touch(0o600)
        secret.write_text("a secret of both servers\n")
        self.relay = subprocess.Popen(
            self.networks.prefix("PUB") + [
                coturn, "-n", "--listening-ip", "203.0.113.1", "--relay-ip", "203.0.113.1", "--no-tls", "--no-dtls",
                "--realm", "example.org", "--use-auth-secret", "--static-auth-secret", "a secret of both servers",
                "--no-cli", "--relay-threads", "1", "--pidfile", str(self.folder / "pid"), "--userdb",
                str(self.folder / "users"), "--log-file", str(self.folder / "relay.log"), "--simple-log"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while ":3478" not in self.networks.run("PUB", "ss -Hltn"):
            if time.monotonic() > end:
                raise Obstacle("coturn does not listen")
            time.sleep(0.05)
        return ["--turn", "turn:203.0.113.1", "--turn-secret-file", str(secret)]

    def join(self, name, home):
        member = Member(
            self.networks, self.folder, self.binaries, name, home, self.trust + self.options, self.room)
        self.members.append(member)
        return member

    def wait(self, seconds):
        """Chat goes on meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for member in self.members:
                member.say()
            time.sleep(0.25)

    def change_address(self):
        old, self.lan = self.lan, 3 + (self.lan - 2) % 200
        self.networks.run("A", f"ip addr del 10.1.0.{old}/24 dev eth0")
        self.networks.run("A", f"ip addr add 10.1.0.{self.lan}/24 dev eth0")
        self.networks.run("A", "ip route add default via 10.1.0.1")
        return time.monotonic()

    def rebind(self):
        """Masquerading forgets its mappings with the address."""
        old, self.wan = self.wan, 100 + (self.wan - 99) % 100
        self.networks.run("RA", f"ip addr del 203.0.113.{old}/24 dev wan0")
        self.networks.run("RA", f"ip addr add 203.0.113.{self.wan}/24 dev wan0")
        self.networks.run("RA", "ip route add default via 203.0.113.1")
        return time.monotonic()

    def connections(self):
        """Between the two, as A sees them: its address and port, B's address and port."""
        found = set()
        for line in self.networks.run("A", "ss -Htn state established").splitlines():
            near, far = (end.rsplit(":", 1) for end in line.split()[2:4])
            if far[0].startswith("10.2."):
                found.add((*near, *far))
        return found

    def reset(self):
        """Both ends of every connection between the two are told that the other has reset it."""
        cut = self.connections()
        if not cut:
            raise Obstacle("the two are not connected by TCP")
        rules = []
        for near, near_port, far, far_port in cut:
            for one, other in (((near, near_port), (far, far_port)), ((far, far_port), (near, near_port))):
                rules.append(
                    f"ip saddr {one[0]} tcp sport {one[1]} ip daddr {other[0]} tcp dport {other[1]} "
                    "reject with tcp reset")
        since = time.monotonic()
        self.networks.rules("RA", "table ip cut { chain between { type filter hook forward priority 0;\n"
                            + "\n".join(rules) + "\n}\n}\n")
        time.sleep(0.2)
        self.networks.run("RA", "nft delete table ip cut")
        if cut & self.connections():
            raise Obstacle("the kernel did not reset the connection")
        return since

    def black_out(self, seconds):
        self.networks.rules(
            "RA", "table ip dark { chain nothing { type filter hook forward priority 0; policy drop; }\n}\n")
        self.wait(seconds)
        self.networks.run("RA", "nft delete table ip dark")
        return time.monotonic()

    def suspend(self, seconds):
        process, film = self.members[0].process, self.members[0].film
        process.send_signal(signal.SIGSTOP)
        # Cameras stand still, too.
        film.is_paused = True
        time.sleep(seconds)
        # The kernel wakes those who stand still when the shell that started us ends.
        if pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            raise Obstacle("who was stopped was woken by somebody else; start this by setsid")
        since = time.monotonic()
        film.is_paused = False
        process.send_signal(signal.SIGCONT)
        return since

    def latest(self, since):
        one, other = self.members
        return max(one.latest(other, since), other.latest(one, since))

    def back_after(self, since):
        return max(member.back_after(since) for member in self.members)

    def chat(self):
        """Lines that were lost, and that came more than once."""
        time.sleep(1)
        lost = doubled = 0
        for sender, receiver in (self.members, self.members[::-1]):
            heard = receiver.heard[:]
            for number in range(1, sender.said + 1):
                copies = heard.count(f"line {number} of {sender.name}")
                lost += copies == 0
                doubled += max(0, copies - 1)
        return lost, doubled

    def close(self):
        for member in self.members:
            member.close()
        for program in (self.server, self.relay):
            if program:
                program.terminate()
                program.wait()
        self.networks.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def find_obstacle(binaries):
    """Why nothing can be measured here, or None."""
    if os.geteuid() != 0:
        return "networks of their own need root; nothing was measured"
    for program in ("unshare", "nsenter", "ip", "nft", "ss"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return f"there is no {program}; install iproute2, nftables and util-linux"
    if not (binaries / "p2pcall").exists():
        return f"there is no p2pcall in {binaries}; run swift build -c release"
    return None
