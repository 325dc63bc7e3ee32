"""`talk`, and `python -m talkcli`. Worker processes import this file anew, so it imports nothing itself."""


def main() -> None:
    """Run the command line."""
    from talkcli.app import main as run

    run()


if __name__ == "__main__":
    main()
