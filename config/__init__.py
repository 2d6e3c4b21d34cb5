"""Settings from the environment, and policy as data. Read once at the start, by app.py."""
