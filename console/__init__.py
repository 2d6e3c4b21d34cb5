"""The private side: pages, the live feed, sign-in and the JSON interface.

It shows what the journal and the store hold and writes what a handler adds. It
never answers a call, and never imports the phone side.
"""
