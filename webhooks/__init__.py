"""The phone side: Twilio's requests in, TwiML out.

It translates and guards. It never touches the store, never decides what a caller
hears (callflow/), and never lets a signed request go without an answer that keeps
the caller on the line.
"""
