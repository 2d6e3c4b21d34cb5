"""What a request says the caller did: keys, a voice, a choice from the line's menu.

It decides nothing: that a press is a choice is a rule of ``callflow.menus``.
"""

from collections.abc import Sequence

from callflow.call import Call, Stage
from callflow.events import Event, KeysPressed, MenuChosen, SoundHeard
from callflow.menus import Menu
from webhooks import parameters


def heard(stage: Stage, params: dict[str, str]) -> list[Event]:
    """Return what the caller did, where it comes with a request that is about something else."""
    happened = parameters.happened(stage, params)
    return [happened] if isinstance(happened, KeysPressed | SoundHeard) else []


def chosen(call: Call, happened: Sequence[Event], menu: Menu | None) -> list[Event]:
    """Return what happened, with keys pressed at a menu as the choice they are, if they are one."""
    if menu is None or call.stage is not Stage.MENU:
        return list(happened)
    read: list[Event] = []
    for event in happened:
        if isinstance(event, KeysPressed) and (choice := menu.chosen(event.keys)):
            read.append(MenuChosen(event.keys, choice))
        else:
            read.append(event)
    return read
