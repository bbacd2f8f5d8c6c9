"""`python -m jwrules` is `jwrules`."""

import sys

from jwrules.cli import main

sys.exit(main())
