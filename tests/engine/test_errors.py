from __future__ import annotations

import inspect

from talkcli.engine import errors


def test_every_class_has_its_own_exit_code() -> None:
    classes = [
        item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, errors.TalkError)
    ]
    codes = {item.__name__: item.exit_code for item in classes}
    assert codes == {
        "TalkError": 1,
        "UsageError": 2,
        "InputError": 3,
        "AssetError": 4,
        "ExtraError": 5,
        "DeviceError": 6,
        "ThresholdError": 7,
    }


def test_problem_and_hint_are_kept_apart() -> None:
    error = errors.InputError("x.wav is empty.", hint="Record it again.")
    assert (error.problem, error.hint) == ("x.wav is empty.", "Record it again.")
    assert str(error) == "x.wav is empty."
    assert errors.TalkError("x").hint is None


def test_both_are_reworded() -> None:
    error = errors.InputError("x is empty.", hint="Leave x out.")
    error.reword(lambda text: text.replace("x", "y"))
    assert (error.problem, error.hint, str(error)) == ("y is empty.", "Leave y out.", "y is empty.")
    silent = errors.TalkError("x")
    silent.reword(str.upper)
    assert silent.hint is None


def test_long_texts_lose_their_middle() -> None:
    error = errors.InputError("begin " + "x" * 54_000_000 + " end", hint="y" * 3000)
    assert len(error.problem) < 2000
    assert len(str(error)) < 2000
    assert len(error.hint or "") < 2000
    assert error.problem.startswith("begin x")
    assert error.problem.endswith("x end")
    assert errors.InputError("x" * 2000).problem == "x" * 2000
