"""This machine, measured."""

import time
from types import SimpleNamespace

import pytest
import torch

from memloc.model import pretrained
from memloc.resources import machine
from memloc.resources.machine import Machine


def test_this_machine_is_measured_with_one_thread(monkeypatch, capsys):
    """By a process of its own, which here is this one."""

    def run(command, **options):
        assert command[-1] == machine.__name__
        machine.measure()
        return SimpleNamespace(stdout=capsys.readouterr().out)

    n_threads, seconds = [], iter([10, 14.5])
    monkeypatch.setattr(machine.subprocess, "run", run)
    monkeypatch.setattr(torch, "set_num_threads", n_threads.append)
    monkeypatch.setattr(machine, "peak_rate", lambda: 120.5)
    monkeypatch.setattr(pretrained, "native_bfloat16", lambda device: False)
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    assert machine.this_machine(4) == Machine("this machine", 120.5, 4.5, 4, bfloat16=False)
    assert n_threads == [1]


def test_a_rate_is_that_of_the_fastest_product(monkeypatch):
    """A product of two matrices of 100 rows takes two million operations."""
    seconds, shapes = iter([0, 4, 10, 12, 20, 23]), []
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(torch, "matmul", lambda left, right: shapes.append((*left.shape, *right.shape)))
    assert machine.peak_rate(100) == pytest.approx(2e6 / 1e9 / 2)
    assert shapes == [(100,) * 4] * 3
