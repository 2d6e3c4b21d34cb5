"""The desk: everything a handler does to an incident, as one object.

Each deed is a method that takes a reference, who does it and when, and gives back
the incident as it then stands with the orders to carry out. It decides and records;
it sends nothing itself.
"""

from incidents.claiming import Claiming
from incidents.ordering import Ordering
from incidents.parts import Partaking
from incidents.recording import Recording
from incidents.working import Actor, Conflict, Done, Rules, Unfit

__all__ = ["Actor", "Conflict", "Desk", "Done", "Rules", "Unfit"]


class Desk(Claiming, Ordering, Recording, Partaking):
    """Claims, orders, parts and the record, over one store."""
