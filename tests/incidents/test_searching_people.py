"""Search for people over the blind index, on both databases: by name, address and number."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update

from incidents.addresses import Addresses
from incidents.audit import Audit
from incidents.indexing_earlier import index_earlier
from incidents.person_changes import PersonChanges
from incidents.person_numbers import PersonNumbers
from incidents.persons import Facts, Persons
from incidents.safe_contact import SafeContact
from incidents.searching import Search
from incidents.searching_people import MOST_PEOPLE, FoundPeople, PeopleSearch
from incidents.store import Store
from incidents.tables import people, searchable
from incidents.transactions import reading, writing
from incidents.working import Actor, Unfit
from tests.incidents.making import KEYS, NOW, NUMBER, after


class Office:
    """Where people are put on record and looked for."""

    def __init__(self, store: Store) -> None:
        audit = Audit(store.engine, KEYS)
        self.store = store
        self.persons = Persons(store, KEYS, audit)
        self.changes = PersonChanges(store, KEYS, audit)
        self.addresses = Addresses(store, KEYS, audit)
        self.numbers = PersonNumbers(store, KEYS, audit)
        self.search = PeopleSearch(store, KEYS)

    def person(self, name: str, address: str = "", number: str = "") -> str:
        """Put somebody on record."""
        person = self.persons.add(name, by="anna", now=NOW)
        if address:
            self.addresses.add(person, address, by="anna", now=NOW)
        if number:
            self.numbers.add(person, number, SafeContact(), by="anna", now=NOW)
        return person

    def found(self, terms: str) -> list[tuple[str, tuple[str, ...]]]:
        """Who is found by words, with by what."""
        return [(one.id, one.where) for one in self.search.words(terms).shown]


@pytest.fixture
def office(store: Store) -> Office:
    """An office over a store of each kind."""
    return Office(store)


def test_somebody_is_found_by_any_words_of_their_name(office: Office) -> None:
    """In any order, whole, without capitals and accents; every word must be there."""
    ada = office.person("Zoë Ada Example")
    office.person("Bea Example")
    for terms in ("ada", "EXAMPLE zoe", "Zoë Ada Example"):
        assert office.found(terms) == [(ada, ("person",))]
    assert office.found("ad") == []
    assert office.found("ada bea") == []


def test_somebody_is_found_by_an_address(office: Office) -> None:
    """A postcode in one piece or two; both halves of a household are found."""
    ada = office.person("Ada Example", "12 High Street, Kendal LA9 4AB")
    bob = office.person("Bob Example", "12 High Street, Kendal LA9 4AB")
    for terms in ("high street kendal", "LA9 4AB", "la94ab"):
        assert {one for one, where in office.found(terms) if where == ("address",)} == {ada, bob}


def test_name_and_address_of_one_person_are_one_result(office: Office) -> None:
    """With both that were found; words that stand in different places find nobody."""
    ada = office.person("Hazel Example", "3 Hazel Court")
    ((one, where),) = office.found("hazel")
    assert (one, set(where)) == (ada, {"person", "address"})
    assert office.found("example court") == []


def test_somebody_is_found_by_their_whole_number(office: Office) -> None:
    """While it is theirs."""
    ada = office.person("Ada Example", number=NUMBER)
    (found,) = office.search.number(NUMBER).shown
    assert (found.id, found.name, found.where) == (ada, "Ada Example", ("number",))
    assert office.search.number("+447700900199") == FoundPeople()


def test_a_new_name_is_found_and_the_old_one_no_more(office: Office) -> None:
    """In the transaction that changes it."""
    ada = office.person("Ada Example")
    as_read = office.changes.own(ada).as_read
    office.changes.change(ada, "Ada Married", Facts(), as_read, by="anna", now=after(1))
    assert office.found("married") == [(ada, ("person",))]
    assert office.found("example") == []


def test_an_address_that_is_ended_finds_nobody(office: Office) -> None:
    """It is theirs no more."""
    person = office.person("Ada Example")
    row = office.addresses.add(person, "3 Hazel Court", by="anna", now=NOW)
    office.addresses.end(person, row, by=Actor("anna", "contact_officer"), now=after(1))
    assert office.found("hazel court") == []


def test_who_was_merged_is_found_as_whom_they_were_merged_into(office: Office) -> None:
    """Once, under the name that stands; who was erased is found no more."""
    ada, other = office.person("Ada Example"), office.person("Ada Nickname", "3 Hazel Court")
    with writing(office.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == other).values(merged_into=ada))
    (found,) = office.search.words("hazel").shown
    assert (found.id, found.name) == (ada, "Ada Example")
    ((one, _),) = office.found("ada")
    assert one == ada
    with writing(office.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == ada).values(erased_at=NOW))
    assert office.found("ada") == []


def test_many_are_cut_off_and_said_so(office: Office) -> None:
    """The latest first."""
    last = [office.person(f"Common Person{at}") for at in range(MOST_PEOPLE + 1)][-1]
    result = office.search.words("common")
    assert (len(result.shown), result.more, result.shown[0].id) == (MOST_PEOPLE, True, last)


def test_what_an_older_release_wrote_is_put_in_once(office: Office) -> None:
    """Names and addresses, as entries are."""
    ada = office.person("Ada Example", "3 Hazel Court")
    with writing(office.store.engine) as connection:
        connection.execute(delete(searchable))
    assert office.found("ada") == []
    assert index_earlier(office.store, KEYS) == 2
    assert index_earlier(office.store, KEYS) == 0
    assert office.found("ada") == [(ada, ("person",))]
    assert office.found("hazel") == [(ada, ("address",))]


def test_no_disk_tells_a_name_or_an_address(office: Office) -> None:
    """What stands in the index are keyed hashes."""
    office.person("Ada Example", "3 Hazel Court")
    with reading(office.store.engine) as connection:
        told = " ".join(connection.scalars(select(searchable.c.words)))
    for word in ("ada", "example", "hazel", "court"):
        assert word not in told


def test_people_are_not_found_where_calls_are_looked_for(office: Office) -> None:
    """A name alone makes no call."""
    office.person("Ada Example")
    assert Search(office.store, KEYS).words("ada").incidents == ()


@pytest.mark.parametrize("terms", ["", "…", " ".join(f"word{at}" for at in range(20))])
def test_what_cannot_be_looked_for_is_refused(office: Office, terms: str) -> None:
    """As with calls."""
    with pytest.raises(Unfit):
        office.search.words(terms)
