"""`python -m jwrules.steps.schema`."""

import sys

from jwrules.steps.schema import main

sys.exit(main())
