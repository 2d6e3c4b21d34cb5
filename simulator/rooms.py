"""Conferences: who is in which room, who hears whom, and who ends it.

Several calls share a room, each moved on by a thread of its own; a room never holds its lock
while it speaks to a call, so that no two calls can wait for each other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from simulator.moments import (
    Elapsed,
    FarEndLeft,
    Interruption,
    Ordered,
    Playing,
    RoomOver,
    Spoke,
)

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.playing import Player
    from simulator.twiml import Verb

NEEDED_TO_TALK = 2
LONGEST_STAY_SECONDS = 14_400


@dataclass(slots=True, eq=False)
class Participant:
    """One call in a room, with what its ``<Conference>`` says of it."""

    call: Call
    noun: Verb

    @property
    def muted(self) -> bool:
        """Whether nobody hears this one."""
        return self.noun.flag("muted")

    def beeps(self, when: str) -> bool:
        """Whether the room is told of this one's coming or going by a beep."""
        return self.noun.get("beep", "true") in ("true", when)


@dataclass(slots=True, eq=False)
class Room:
    """A conference while somebody is in it."""

    name: str
    sid: str
    inside: list[Participant] = field(default_factory=list)
    started: bool = False
    sequence: int = 0
    # Twilio keeps the callback of the first participant who names one.
    callback: str = ""
    events: frozenset[str] = frozenset()

    def others(self, me: Participant) -> list[Participant]:
        """Return everybody else in the room."""
        return [one for one in self.inside if one is not me]


@dataclass(slots=True)
class Rooms:
    """The rooms of one exchange, by name."""

    _rooms: dict[str, Room] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inside(self, name: str) -> dict[str, bool]:
        """Return the CallSids of those in the room ``name``, each with whether it is muted."""
        with self._lock:
            room = self._rooms.get(name)
            return {one.call.sid: one.muted for one in room.inside} if room else {}

    def enter(self, me: Participant, sid: str, callback: str) -> tuple[Room, list[str]]:
        """Put ``me`` into the room of that name; return it and the events that makes."""
        with self._lock:
            room = self._rooms.setdefault(me.noun.text, Room(me.noun.text, sid))
            room.inside.append(me)
            if callback and not room.callback:
                room.callback = callback
                room.events = frozenset(me.noun.get("statusCallbackEvent").split())
            events = ["join"]
            starts = any(one.noun.flag("startConferenceOnEnter", True) for one in room.inside)
            if not room.started and starts and len(room.inside) >= NEEDED_TO_TALK:
                room.started = True
                events.insert(0, "start")
            return room, events

    def leave(self, room: Room, me: Participant) -> tuple[list[Participant], list[str]]:
        """Take ``me`` out; return those who must leave with this one, and the events that makes."""
        with self._lock:
            if me not in room.inside:
                return [], []
            room.inside.remove(me)
            ends = me.noun.flag("endConferenceOnExit") or not room.inside
            if ends and self._rooms.get(room.name) is room:
                del self._rooms[room.name]
            return (list(room.inside) if ends else []), ["leave", *(["end"] if ends else [])]


def confer(player: Player, noun: Verb, sid: str, url: str) -> Playing[None]:
    """Put a call into a conference until the conference or the call ends.

    Twilio: '<Conference> beeps and plays music unless beep="false" and waitUrl=""'. Whoever is
    in a conference presses keys that nobody sees.
    """
    call, me = player.call, Participant(player.call, noun)
    callback = noun.get("statusCallback")
    room, events = call.rooms.enter(me, sid, urljoin(url, callback) if callback else "")
    call.connected_to = room.name
    muted = ", muted" if me.muted else ""
    call.note("room", f"joins the conference {room.name}{muted}", room=room.name)
    _sounds_on_joining(player, room, me)
    _tell(player, room, me, events, "")
    try:
        reason = yield from _stay(player, room, me)
    except Interruption as interruption:
        moved = isinstance(interruption, Ordered) and interruption.request is not None
        why = "participant_updated_via_api" if moved else "participant_hung_up"
        _leave(player, room, me, why)
        raise
    _leave(player, room, me, reason)


def _stay(player: Player, room: Room, me: Participant) -> Playing[str]:
    deadline = player.call.clock.now() + LONGEST_STAY_SECONDS
    while True:
        match (yield player.wait("room", deadline - player.call.clock.now())):
            case Elapsed() | FarEndLeft():
                return "participant_hung_up"
            case RoomOver(sid) if sid == room.sid:
                return "moderator_ended_conference"
            case Spoke(words):
                _speak(room, me, words)
            case stimulus:
                player.lost(stimulus, "the call is in a conference")


def _speak(room: Room, me: Participant, words: str) -> None:
    """Let the others hear what one says, unless that one is muted or the room has not begun."""
    if me.muted or not room.started:
        why = "muted" if me.muted else "alone"
        me.call.note("lost", f"says “{words}”: nobody hears it ({why})")
        return
    me.call.note("spoke", f"says “{words}”")
    for one in room.others(me):
        one.call.note("voice", f"hears somebody in the conference say “{words}”", say=words)


def _sounds_on_joining(player: Player, room: Room, me: Participant) -> None:
    if me.noun.get("beep", "true") != "false":
        player.complain('the conference beeps: its beep is not "false"')
    if me.beeps("onEnter"):
        for one in (me, *room.others(me)):
            one.call.note("sound", "hears a beep", sound="beep")
    if me.noun.attributes.get("waitUrl") != "":
        player.complain("the conference plays music to whoever waits: its waitUrl is not empty")
        if not room.started:
            me.call.note("sound", "hears music", sound="music")


def _leave(player: Player, room: Room, me: Participant, reason: str) -> None:
    player.call.connected_to = ""
    player.call.note("room", f"leaves the conference {room.name}")
    everybody, events = player.call.rooms.leave(room, me)
    if me.beeps("onExit"):
        for one in room.others(me):
            one.call.note("sound", "hears a beep", sound="beep")
    for one in everybody:
        # Each call has a lock of its own, and this one's is held here.
        threading.Thread(target=one.call.happens, args=(RoomOver(room.sid),), daemon=True).start()
    _tell(player, room, me, events, reason)


def _tell(player: Player, room: Room, me: Participant, events: list[str], reason: str) -> None:
    """Post conference callbacks: ConferenceSid, StatusCallbackEvent, SequenceNumber and more."""
    for event in events:
        if not room.callback or event not in room.events:
            continue
        room.sequence += 1
        about_all = event in ("start", "end")
        parameters = [
            ("AccountSid", player.leg.account_sid),
            ("ConferenceSid", room.sid),
            ("FriendlyName", room.name),
            ("StatusCallbackEvent", f"{'conference' if about_all else 'participant'}-{event}"),
            ("SequenceNumber", str(room.sequence)),
            ("Timestamp", player.stamp()),
            *([] if about_all else _about(me)),
        ]
        if event == "leave":
            parameters.append(("ReasonParticipantLeft", reason))
        player.tell(room.callback, parameters)


def _about(me: Participant) -> Iterator[tuple[str, str]]:
    yield "CallSid", me.call.sid
    yield "ParticipantLabel", me.noun.get("participantLabel")
    yield "Muted", "true" if me.muted else "false"
    for name in ("startConferenceOnEnter", "endConferenceOnExit"):
        default = name == "startConferenceOnEnter"
        value = "true" if me.noun.flag(name, default) else "false"
        yield name[0].upper() + name[1:], value
