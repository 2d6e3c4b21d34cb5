"""The policy that deeds at the desk depend on, taken out of the policy files and settings.

It decides nothing: it hands on.
"""

from __future__ import annotations

from config.policy import Policy
from config.settings import Settings
from incidents.working import Rules


def rules(policy: Policy, settings: Settings) -> Rules:
    """Return the rules of this site's desk."""
    return Rules(
        profiles=policy.profiles,
        questions=policy.questions,
        grades=policy.grades,
        roles=policy.roles,
        languages=tuple(policy.voices),
        control_room=settings.control_room,
        patterns=policy.patterns,
        visits=policy.visits,
        services=policy.services,
        simulated=settings.training,
    )
