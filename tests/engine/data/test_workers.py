"""A job that kills its process is given up; all others are done."""

from __future__ import annotations

import os

import pytest

from talkcli.engine.data.workers import map_isolated


def square(job: int) -> int:
    return job * job


def crash_on_three(job: int) -> int:
    if job == 3:
        # What a segmentation fault in C code does to its process.
        os._exit(139)
    return job * job


def fail_on_three(job: int) -> int:
    if job == 3:
        raise ValueError("three")
    return job * job


def test_here_and_in_processes() -> None:
    expected = {job: job * job for job in range(5)}
    assert dict(map_isolated(square, range(5), 0)) == expected
    assert dict(map_isolated(square, range(5), 2)) == expected
    assert dict(map_isolated(square, [], 2)) == {}


def test_a_crash_costs_one_job() -> None:
    results = dict(map_isolated(crash_on_three, range(6), 2))
    assert results == {0: 0, 1: 1, 2: 4, 3: None, 4: 16, 5: 25}


def test_an_exception_is_the_callers() -> None:
    with pytest.raises(ValueError, match="three"):
        list(map_isolated(fail_on_three, range(6), 2))
