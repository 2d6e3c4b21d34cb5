"""Reads ``questions.toml``: the bank of yes/no questions and the words around them."""

from collections.abc import Collection
from dataclasses import fields
from typing import Any, Final

from callflow.questions import FIRST_LANGUAGE, Question, Questions, Words
from config.reading import BadFile, check_head

FILE: Final = "questions.toml"
LONGEST_TEXT: Final = 200
"""Characters: what is spoken must be short."""
LONGEST_NAME: Final = 60
LONGEST_ID: Final = 40
FREE: Final = "free"
"""Stands for a question that a handler typed; no question of the bank may be called so."""
_WORDS: Final = tuple(field.name for field in fields(Words))
_TIMES: Final = 3
_PLACES: Final = ("{yes}", "{no}")


def read_questions(data: dict[str, Any], languages: Collection[str] = ()) -> Questions:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key.

    ``languages``: those we speak; each needs words and a text of every question.
    """
    check_head(
        data,
        (
            "words",
            "question",
        ),
        "questions",
    )
    words = _words(data.get("words"), languages)
    questions = _questions(data.get("question"), tuple(words))
    return Questions(questions, words)


def _words(table: Any, languages: Collection[str]) -> dict[str, Words]:
    if not isinstance(table, dict) or not table:
        raise BadFile("words", "must hold a table for each language, such as [words.en-GB]")
    for language in (FIRST_LANGUAGE, *languages):
        if language not in table:
            raise BadFile(f"words.{language}", "is missing; every language we speak needs it")
    found = {}
    for language, inner in table.items():
        place = f"words.{language}"
        if languages and language not in languages:
            raise BadFile(place, "is no language of prompts.toml")
        if not isinstance(inner, dict):
            raise BadFile(place, "must be a table of words")
        for key in inner:
            if key not in _WORDS:
                raise BadFile(f"{place}.{key}", "is not a key of it; is it misspelt?")
        texts = {
            key: _text(inner.get(key), f"{place}.{key}", LONGEST_TEXT)
            for key in _WORDS
            if key != "times"
        }
        for key in ("how_presses", "how_keys"):
            if any(mark not in texts[key] for mark in _PLACES):
                raise BadFile(f"{place}.{key}", "must hold {yes} and {no}")
        found[language] = Words(times=_times(inner.get("times"), f"{place}.times"), **texts)
    return found


def _times(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) != _TIMES:
        raise BadFile(place, 'must be a list such as ["once", "twice", "three times"]')
    return tuple(_text(one, place, LONGEST_NAME) for one in value)


def _questions(tables: Any, languages: tuple[str, ...]) -> tuple[Question, ...]:
    if not isinstance(tables, list) or not tables:
        raise BadFile("question", "there must be at least one [[question]] table")
    found: dict[str, Question] = {}
    for at, table in enumerate(tables, start=1):
        place = f"question {at}"
        if not isinstance(table, dict):
            raise BadFile(place, "must be a [[question]] table")
        question = _question(table, place, languages)
        if question.id in found:
            raise BadFile(f"{place}: id", "is listed twice")
        found[question.id] = question
    for at, question in enumerate(found.values(), start=1):
        for key, following in (("yes", question.after_yes), ("no", question.after_no)):
            for one in following:
                if one not in found or one == question.id:
                    reason = f"{one!r} is no other question of this file"
                    raise BadFile(f"question {at}: {key}", reason)
    if not any(question.start for question in found.values()):
        raise BadFile("question", "at least one must have start = true, to begin with")
    return tuple(found.values())


def _question(table: dict[str, Any], place: str, languages: tuple[str, ...]) -> Question:
    keys = ("id", "name", "start", "yes", "no", *languages)
    for key in table:
        if key not in keys:
            raise BadFile(f"{place}: {key}", f"is not a key of it ({', '.join(keys)})")
    word = table.get("id")
    if not isinstance(word, str) or not word.isidentifier() or len(word) > LONGEST_ID:
        raise BadFile(f"{place}: id", "must be one word of letters, digits and _")
    if word == FREE:
        raise BadFile(f"{place}: id", f"must not be {FREE}: that is a typed question")
    start = table.get("start", False)
    if not isinstance(start, bool):
        raise BadFile(f"{place}: start", "must be true or false")
    return Question(
        id=word,
        name=_text(table.get("name"), f"{place}: name", LONGEST_NAME),
        texts={
            language: _text(table.get(language), f"{place}: {language}", LONGEST_TEXT)
            for language in languages
        },
        after_yes=_ids(table.get("yes", []), f"{place}: yes"),
        after_no=_ids(table.get("no", []), f"{place}: no"),
        start=start,
    )


def _ids(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadFile(place, "must be a list of questions' ids")
    return tuple(value)


def _text(value: Any, place: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadFile(place, "must be a text on one line")
    if len(value) > longest:
        raise BadFile(place, f"must have at most {longest} characters")
    return value
