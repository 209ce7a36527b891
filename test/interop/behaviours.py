"""Behaviours of a client, told a line each as they are tried: `ok ...`, or `not ok ...` with what went wrong."""
import sys
import traceback

failures = 0


def check(what):
    """Tries the function that it stands before."""
    def decorate(behaviour):
        global failures
        try:
            behaviour()
            print(f"ok {what}", flush=True)
        except Exception:
            failures += 1
            print(f"not ok {what}\n{traceback.format_exc()}", flush=True)
    return decorate


def equal(actual, expected):
    assert actual == expected, f"{actual!r} instead of {expected!r}"


def refused(call, text, kind=Exception):
    """The error, of that kind and with that text in it."""
    try:
        call()
    except kind as error:
        assert text in str(error), f"{error} instead of {text}"
        return error
    raise AssertionError("nothing was refused")


def end():
    """Status 1 if one of them was not as it should be."""
    sys.exit(1 if failures else 0)
