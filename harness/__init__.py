"""dnh: the harness and emulator for FreeBSD's ipfw, dummynet and PSPAT."""

__version__ = "0.1.0"
