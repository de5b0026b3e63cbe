"""A simulated year: random callbacks, outages and outcomes, by a virtual clock, through the real rules of when and who.

The world around them (visitors, phones, PBXs, trunks, people who pause) is drawn by a seed; `audit`, which shares no
code with the rules, judges every call.
"""
