import functools
import time


def retry(tries=3, delay=0.5):
    """Call a function again after an error."""

    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            for attempt in range(1, tries + 1):
                try:
                    return function(*args, **kwargs)
                except (KeyError, ValueError):
                    if attempt == tries:
                        raise
                    time.sleep(delay * attempt)

        return wrapper

    return decorator
