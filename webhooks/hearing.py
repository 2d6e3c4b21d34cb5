"""What a request says the caller did: keys, a voice, a choice from the line's menu, a code.

It decides nothing: that a press is a choice is a rule of ``callflow.menus``, that it may be a
code one of ``callflow.contact``.
"""

from collections.abc import Sequence

from callflow.call import Call, Stage
from callflow.contact import hidden, is_code
from callflow.events import CodeTyped, Event, KeysPressed, MenuChosen, SoundHeard
from callflow.flow import Setting
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


def coded(call: Call, happened: Sequence[Event], setting: Setting) -> list[Event]:
    """Return what happened on a line where codes are typed: a code as what it is, and no key of it.

    Any 5 goes the silent way at once. What else is pressed there, a code typed late or broken off,
    counts as pressed and is not kept.
    """
    if setting.contact is None:
        return list(happened)
    read: list[Event] = []
    for event in happened:
        if not isinstance(event, KeysPressed):
            read.append(event)
        elif call.stage is Stage.CODE and is_code(event.keys):
            read.append(CodeTyped(event.keys))
        else:
            read.append(KeysPressed(hidden(event.keys)))
    return read
