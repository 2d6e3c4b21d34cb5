"""The incident store: what happened on every call, and what was done about it.

The journal remembers first, on this machine's disk; the fold turns events into an
incident whatever their order or number; the store keeps both for everyone. It
refuses to decide what a caller hears (callflow/) and to speak HTTP.
"""
