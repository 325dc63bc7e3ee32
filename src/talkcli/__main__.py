"""Entry point of `talk` and of `python -m talkcli`.

Worker processes import this file again, so it imports nothing at its top.
"""


def main() -> None:
    """Run the command line."""
    # The watch starts before the other imports, since Ctrl-C during these would print a traceback.
    from talkcli.engine.lifetime import end_without_collecting, print_exit_message, watch

    watch(print_exit_message)
    end_without_collecting()
    from talkcli.app import main as run

    run()


if __name__ == "__main__":
    main()
