"""libnice as the judge of our ICE agent: one agent of RFC 8445 with one component, driven by lines.

    python3 libnice-agent.py controlling|controlled IP [RELAY-IP RELAY-PORT USER PASSWORD]

It takes `remote UFRAG PASSWORD`, `candidate SDP`, `done`, `send HEX` and `restart`, and says `local UFRAG PASSWORD`,
`candidate SDP`, `gathered`, `state NAME`, `selected LOCAL-PORT REMOTE-IP REMOTE-PORT` and `received HEX`. It ends with its input."""
import ctypes
import sys
import threading

import gi

gi.require_version("Nice", "0.1")
from gi.repository import GLib, Nice  # noqa: E402

library = ctypes.CDLL("libnice.so.10")
Receiver = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.POINTER(ctypes.c_ubyte),
    ctypes.c_void_p)
library.nice_agent_attach_recv.argtypes = [
    ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, Receiver, ctypes.c_void_p]


def say(*words):
    print(*words, flush=True)


def received(_agent, _stream, _component, count, bytes_, _data):
    say("received", bytes(bytes_[:count]).hex())


def credentials():
    found = agent.get_local_credentials(stream)
    say("local", found[1], found[2])


def gathered(*_):
    credentials()
    for candidate in agent.get_local_candidates(stream, 1):
        say("candidate", agent.generate_local_candidate_sdp(candidate))
    say("gathered")


def selected(_agent, _stream, _component, local, remote):
    say("selected", local.addr.get_port(), remote.addr.dup_string() if hasattr(remote.addr, "dup_string")
        else "", remote.addr.get_port())


def take(line):
    word, _, rest = line.partition(" ")
    if word == "remote":
        agent.set_remote_credentials(stream, *rest.split())
    elif word == "candidate":
        agent.set_remote_candidates(stream, 1, [agent.parse_remote_candidate_sdp(stream, rest)])
    elif word == "done":
        agent.peer_candidate_gathering_done(stream)
    elif word == "send":
        data = bytes.fromhex(rest)
        library.nice_agent_send(
            ctypes.c_void_p(hash(agent)), stream, 1, len(data), ctypes.c_char_p(data))
    elif word == "restart":
        agent.restart()
        gathered()
    return False


def read():
    for line in sys.stdin:
        GLib.idle_add(take, line.strip())
    GLib.idle_add(loop.quit)


role, ip = sys.argv[1:3]
loop = GLib.MainLoop()
agent = Nice.Agent.new_full(
    loop.get_context(), Nice.Compatibility.RFC5245,
    Nice.AgentOption.REGULAR_NOMINATION | Nice.AgentOption.ICE_TRICKLE)
agent.set_property("controlling-mode", role == "controlling")
agent.set_property("upnp", False)
agent.set_property("ice-tcp", False)
address = Nice.Address()
address.init()
address.set_from_string(ip)
agent.add_local_address(address)
stream = agent.add_stream(1)
callback = Receiver(received)
library.nice_agent_attach_recv(hash(agent), stream, 1, None, callback, None)
agent.connect("candidate-gathering-done", gathered)
agent.connect(
    "component-state-changed", lambda _agent, _stream, _component, state: say(
        "state", Nice.component_state_to_string(state)))
agent.connect("new-selected-pair-full", selected)
if len(sys.argv) > 3:
    relay, port, user, password = sys.argv[3:7]
    agent.set_relay_info(stream, 1, relay, int(port), user, password, Nice.RelayType.UDP)
if not agent.gather_candidates(stream):
    sys.exit("nothing to gather")
threading.Thread(target=read, daemon=True).start()
loop.run()
