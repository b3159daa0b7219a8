"""For all tests: how long a property test takes is no property of the code."""

from hypothesis import settings

settings.register_profile("narrows", deadline=None)
settings.load_profile("narrows")
