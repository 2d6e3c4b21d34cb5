// A list that does not change by itself; keyboard.js moves in it.
