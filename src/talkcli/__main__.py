"""`talk`, and `python -m talkcli`. Worker processes import this file anew, so it imports nothing itself."""


def main() -> None:
    """Run the command line."""
    # First of all: while the rest is imported, Ctrl-C would show a traceback.
    from talkcli.engine.lifetime import print_exit_message, watch

    watch(print_exit_message)
    from talkcli.app import main as run

    run()


if __name__ == "__main__":
    main()
