# SPDX-License-Identifier: GPL-3.0-or-later
import os
import signal
import subprocess
import sys
import textwrap
import weakref

import pytest

from blender_deepdream.addon.interruption import interruptible, uninterrupted


def test_a_signal_ends_what_runs_at_once() -> None:
    with interruptible() as interrupted, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")
    assert interrupted.is_set()


def test_a_signal_waits_for_what_blender_runs() -> None:
    done = []
    with interruptible() as interrupted, pytest.raises(KeyboardInterrupt):
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("render")
        done.append("more")
    assert done == ["render"] and interrupted.is_set()


def test_what_blender_was_running_is_let_go() -> None:
    """An engine of Blender's that outlives its render would complain of that."""
    gone: list[str] = []

    class Engine:
        pass

    def render() -> None:
        engine = Engine()
        weakref.finalize(engine, gone.append, "engine")
        os.kill(os.getpid(), signal.SIGINT)

    with interruptible(), pytest.raises(KeyboardInterrupt), uninterrupted():
        render()
        gone.append("end of the block")
    assert gone == ["engine", "end of the block"]


def test_the_handler_from_before_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible():
        with uninterrupted():
            pass
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_signal_ends_even_what_blender_runs() -> None:
    code = """
        import os, signal
        from blender_deepdream.addon.interruption import interruptible, uninterrupted
        with interruptible(), uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            print("went on", flush=True)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert run.returncode == -signal.SIGINT and "went on" not in run.stdout
