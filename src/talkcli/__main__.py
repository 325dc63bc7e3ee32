"""Entry point of `talk` and of `python -m talkcli`.

Worker processes import this file again, so it imports nothing at its top.
"""


def main() -> None:
    """Run the command line."""
    # The watch starts before the other imports, since Ctrl-C during these would print a traceback.
    from talkcli.engine.lifetime import print_exit_message, watch

    watch(print_exit_message)
    from talkcli.app import main as run

    run()


if __name__ == "__main__":
    main()
