"""``dnh bisect``: which rule, point, patch or revision turns a verdict, and how small a scenario still shows it.

A core that knows nothing of kernels (``odds``, ``judge``, ``journal``, ``minimal``, ``ordered``) and one thin
module for each thing to search over (``rules``, ``points``, ``patches``, ``git``, ``scenario``).
"""
