"""Who plays a role beside the science exposures of a product, among the exposures of a candidate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from jwrules.associations.exposures import Candidate, Exposure
from jwrules.associations.rules import ANY, Role

Key = tuple[str, ...]
"""What must be common."""

Index = dict[Key, list[Exposure]]
"""Who might play a role, by what must be common with the science exposures."""


@dataclass(frozen=True)
class Company:
    """The exposures of a candidate, by role and by what rules ask of them; each question is answered once."""

    candidate: Candidate
    exposures: Sequence[Exposure]
    _of_role: dict[str, list[Exposure]] = field(default_factory=dict)
    _casts: dict[tuple[object, ...], Index] = field(default_factory=dict)

    def of(self, roles: Iterable[str]) -> list[Exposure]:
        """Return the exposures that are by themselves one of these."""
        if not self._of_role:
            for one in self.exposures:
                self._of_role.setdefault(one.role, []).append(one)
        roles = self._of_role if ANY in roles else roles
        return [one for role in sorted(roles) for one in self._of_role.get(role, ())]

    def cast(self, role: Role) -> Index:
        """Return who might play a role."""
        if role.cast not in self._casts:
            found: Index = {}
            for one in self.of(role.played_by):
                if role.condition.holds(one) and all(one.value(column, self.candidate) for column in role.known):
                    found.setdefault(self.key(role, one), []).append(one)
            self._casts[role.cast] = found
        return self._casts[role.cast]

    def key(self, role: Role, exposure: Exposure) -> Key:
        """Return what an exposure must have in common with others for a role."""
        return (*exposure.home, *[exposure.value(column, self.candidate) for column in role.same])

    def players(self, role: Role, science: Sequence[Exposure], members: Sequence[Exposure]) -> list[Exposure]:
        """Return the exposures that play a role for science exposures, or for all the members so far.

        An exposure plays it that agrees with another one of them: the nods of a target are each other's background.
        """
        cast = self.cast(role)
        if not cast:
            return []
        others: Index = {}
        for one in members if role.with_members else science:
            others.setdefault(self.key(role, one), []).append(one)
        found = [one for key in sorted(others) for one in cast.get(key, ()) if self._suits(role, one, others[key])]
        nods = [one for one in members if one.recipe is science[0].recipe and one.role == science[0].role]
        return self._chosen(role, self._preferred(role, found, nods), science)

    def _suits(self, role: Role, player: Exposure, others: Sequence[Exposure]) -> bool:
        """Return whether there is another exposure from which the player differs as it must."""
        if not role.differ:
            return others[0] is not player or len(others) > 1
        return any(other is not player and self._apart(role, player, other) for other in others)

    def _apart(self, role: Role, one: Exposure, other: Exposure) -> bool:
        if not all(other.value(column, self.candidate) for column in role.known):
            return False
        pairs = [(self._differing(column, one), self._differing(column, other)) for column in role.differ]
        return all(map(_distant, pairs, role.differ.values()))

    def _differing(self, column: str, exposure: Exposure) -> str:
        value = exposure.value(column, self.candidate)
        return value or ("f" if column in ("BKGDTARG", "IS_PSF", "IS_IMPRT", "TSOVISIT") else "")

    def _preferred(self, role: Role, found: list[Exposure], nods: Sequence[Exposure]) -> list[Exposure]:
        """Leave out, where more are found than there are science exposures (nods too), those that agree with none."""
        for column in role.prefer:
            if len(found) > len(nods):
                wanted = {one.value(column, self.candidate) for one in nods}
                found = [one for one in found if one.value(column, self.candidate) in wanted] or found
        return found

    def _chosen(self, role: Role, found: list[Exposure], science: Sequence[Exposure]) -> list[Exposure]:
        """Return the one of them that is wanted: the next after the science by a number, or else the first."""
        if not role.one or not found:
            return found
        later = [(ahead, place) for place, one in enumerate(found) if (ahead := self._ahead(role, one, science[0])) > 0]
        return [found[min(later)[1] if later else 0]]

    def _ahead(self, role: Role, one: Exposure, science: Exposure) -> int:
        numbers = [exposure.value(role.one, self.candidate) for exposure in (one, science)]
        return int(numbers[0]) - int(numbers[1]) if all(number.isdecimal() for number in numbers) else 0


def _distant(pair: tuple[str, str], least: int) -> bool:
    """Return whether two values are different, numbers by as much as they must; what is not known counts as far."""
    one, other = pair
    if not (one and other):
        return True
    if one.isdecimal() and other.isdecimal():
        return abs(int(one) - int(other)) >= least
    return one != other
