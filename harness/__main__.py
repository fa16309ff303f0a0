"""``python -m harness`` is ``dnh``."""

from harness.cli import main

raise SystemExit(main())
