"""Words of ``dnh`` that take more than one room: they run, show and keep.  A room's own words are in its commands.py."""
