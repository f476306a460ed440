"""How many examples a property is tried on, unless the profile of Hypothesis asks for fewer."""

from hypothesis import settings

WHOLE = settings.get_profile("default").max_examples


def examples(count: int) -> settings:
    """Return settings with so many examples, less in proportion where the profile has fewer than usual."""
    return settings(max_examples=max(1, count * settings().max_examples // WHOLE), deadline=None)
