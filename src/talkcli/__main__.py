"""`python -m talkcli` is `talk`."""

from talkcli.app import main

main()
