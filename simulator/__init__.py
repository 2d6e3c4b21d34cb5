"""Plays the caller and Twilio's side of every call; speaks HTTP only and knows nothing of ours.

It refuses what Twilio would refuse, and says so aloud, because nothing else will tell us.
"""
