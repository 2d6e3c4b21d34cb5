"""What a silent call does next, decided by pure rules.

Nothing here reads a clock, a file or a socket: time is an argument, policy is a
value, and the same call and event always give the same outcome. It refuses to
know about Twilio, Flask or the store; the edges translate.
"""
