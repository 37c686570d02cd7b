"""Command line of the explorer."""

from tests.simulation.explore import main

raise SystemExit(main())
