"""What was answered without a disk stands on one when it is back."""

from __future__ import annotations

from collections.abc import Callable

from tests.waiting import eventually
from tests.webhooks import requests
from tests.webhooks.phoneside import PhoneSide, break_folder, mend_folder


def test_a_call_of_which_no_disk_took_a_word_is_on_record_when_one_is_back(
    start: Callable[..., PhoneSide],
) -> None:
    """Rule 1: it came, pressed 55 and ended while both folders were broken; nobody sends it again.

    The end is answered 204, so without this its line stayed open on every screen.
    """
    before = start()
    before.close()  # what is open on a disk that goes stays open
    for folder in before.settings.journals:
        break_folder(folder)
    phone = start()
    phone.post("/voice/incoming")
    phone.post("/voice/fallback", requests.call(Digits="55"))
    assert phone.post("/voice/status", requests.call(CallStatus="completed")).status == 204
    assert phone.ready() == 503
    for folder in phone.settings.journals:
        mend_folder(folder)

    def kinds() -> set[str]:
        phone.beat()
        return {event.kind for event in phone.events()}

    eventually(lambda: {"call_arrived", "keys_pressed", "call_ended"} <= kinds(), 10)
