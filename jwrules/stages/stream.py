"""Run a chain of steps on an exposure that may be larger than memory, block by block.

What comes out does not depend on how blocks are cut or on the number of threads: a step is handed what it needs to know
of its surroundings, see `steps.declare`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from jwrules.errors import JwrulesError
from jwrules.products.kinds import Ramp, Reference
from jwrules.products.rooms import Memory
from jwrules.stages import chain, legs
from jwrules.stages.boxes import Box, frames, ramps
from jwrules.stages.budget import Budget, give_back, share_memory
from jwrules.stages.exposure import Exposure
from jwrules.stages.legs import Leg, Turn
from jwrules.stages.threads import in_parallel, quiet

OpenPiece = Callable[[type[Reference], slice, slice], Reference | None]
"""Gives a reference file for these rows and columns of the exposure, None where none was chosen."""
OpenHere = Callable[[type[Reference]], Reference | None]
Sink = Callable[[Any, Box], None]
"""Is handed each block as it is after a step, and which part of the exposure it is."""


@dataclass
class Stream:
    """An exposure on its way through a chain; `sinks` are told of blocks after a step, by its name."""

    exposure: Exposure
    calls: Sequence[chain.Call]
    open_piece: OpenPiece
    budget: Budget
    sinks: Mapping[str, Sink] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._skipped: dict[str, str] = {}
        legs.check(self.calls, self.exposure.meta, self.sinks)

    def run(self, give: Sink) -> Callable[[Any], Any]:
        """Hand every block as it is at the end of the chain to `give`; return what completes the keywords of a product.

        Keywords that tell of the exposure as a whole are known only at the end.
        """
        share_memory()
        open_whole = self._opener()(next(frames(self.exposure.shape, 1)))
        turns = legs.turns(self.calls, self.exposure.meta, self._inputs(open_whole))
        route = legs.legs(turns, self.exposure.meta)
        kept = self.budget.kept(self.exposure, route)
        done: list[Turn] = []
        try:
            for leg in route:
                stored = kept if done else ()
                self._go(leg, done, stored, kept, give if leg is route[-1] else None)
                done += leg.turns
                give_back()
        finally:
            self.exposure.close()
        return self._completed(turns)

    def _go(
        self, leg: Leg, done: Sequence[Turn], stored: Sequence[str], kept: Sequence[str], give: Sink | None
    ) -> None:
        """Send all blocks through a leg."""
        before = [] if "data" in stored else self._once_more(leg, done, "groupdq" in stored)
        margin = leg.margin + sum(turn.margin for turn in before)
        every = list(self._boxes(leg, margin))
        self.exposure.begin(blocks=len(every))
        opener = self._opener(keep=len(every) > 1)
        without = leg.flags_suffice and "groupdq" in stored
        kept_now = stored if "data" in stored or without or self._is_lean(leg, done) else ()

        def pass_through(box: Box, first: bool) -> None:
            block: Any = self.exposure.block(box, kept_now, first=first, without_data=without)
            open_here = opener(box)
            for turn in before:
                block = self._repeat(turn, block, box, open_here)
            if "groupdq" in stored and not kept_now:
                block = replace(block, groupdq=self.exposure.flags(box))
            for turn in leg.turns:
                block = self._take(turn, block, box, open_here, first)
            self._put_away(block, box, kept, give)

        if margin and stored and give is None:
            self.exposure.sew(every, margin, stored)
        boxes = iter(every)
        pass_through(next(boxes), True)
        if leg.along == "frames":
            for box in boxes:
                with quiet():
                    pass_through(box, False)
        else:
            if len(every) > 1:
                self.exposure.forget()
            in_parallel(lambda box: pass_through(box, False), boxes)
        self._settle(leg)
        self.exposure.end()

    def _settle(self, leg: Leg) -> None:
        """Let the last part of a leg make of the notes of all blocks what is handed on."""
        turn = leg.turns[-1]
        if turn.part is None or turn.part.settle is None or turn.step.name in self._skipped:
            return
        inputs = self._inputs(self._opener()(next(frames(self.exposure.shape, 1))))(turn.step, turn.params)
        notes = self.exposure.notes[turn.step.name]
        self.exposure.notes[turn.step.name] = dict(turn.part.settled(notes, self.exposure.meta, turn.params, **inputs))

    def _boxes(self, leg: Leg, margin: int) -> Iterator[Box]:
        if leg.along == "frames":
            return frames(self.exposure.shape, self.budget.integrations(self.exposure))
        return ramps(self.exposure.shape, *self.budget.patch(self.exposure, margin), margin)

    def _once_more(self, leg: Leg, done: Sequence[Turn], flags_are_kept: bool) -> list[Turn]:
        """Return the parts that blocks go through again, to get back what is not kept."""
        turns = [turn for turn in done if self._serves(turn, leg)]
        if not flags_are_kept:
            return turns
        if self._is_lean(leg, done):
            return [turn for turn in turns if turn.makes_counts("zeroframe" in self.exposure.sources)]
        while turns and (leg.flags_suffice or not turns[-1].touches("data")):
            turns.pop()
        return turns

    def _is_lean(self, leg: Leg, done: Sequence[Turn]) -> bool:
        """Whether blocks may have the flags of later steps while counts are made once more.

        Such counts may differ in groups that saturated later than steps knew: then nobody is to read these.
        """
        if leg.spares_saturated and not any(turn.step.name in self.sinks for turn in leg.turns):
            return True
        flagged_later = False
        for turn in reversed(done):
            if turn.touches("data") and flagged_later and turn.part and not turn.part.blind_to_flags:
                return False
            flagged_later = flagged_later or (turn.touches("flags") and turn.step.name not in self._skipped)
        return True

    def _serves(self, turn: Turn, leg: Leg) -> bool:
        """Whether a part that was run before is run again to get the groups back."""
        runs = (
            turn.part is not None
            and turn.step.name not in self._skipped
            and turn.part.touches(turn.params) != "nothing"
        )
        return runs and turn.along(self.exposure.meta) in ("samples", leg.along)

    def _opener(self, *, keep: bool = True) -> Callable[[Box], OpenHere]:
        """Return a function that opens reference files for a block; for whole frames they are opened once.

        Those of frames that are the only ones need not be kept open from step to step.
        """
        of_frames: dict[type[Reference], Reference | None] = {}

        def of_box(box: Box) -> OpenHere:
            opened = of_frames if self._is_whole(box) else {}

            def open_here(kind: type[Reference]) -> Reference | None:
                if not keep and self._is_whole(box):
                    return self.open_piece(kind, box.y, box.x)
                if kind not in opened:
                    opened[kind] = self.open_piece(kind, box.y, box.x)
                return opened[kind]

            return open_here

        return of_box

    def _inputs(self, open_here: OpenHere) -> chain.Inputs:
        """Return a function that opens what a step takes with its parameters."""
        return lambda step, params: chain.inputs(step, params, self.exposure.bare, open_here, {})

    def _is_whole(self, box: Box) -> bool:
        return (box.y, box.x) == tuple(slice(0, size) for size in self.exposure.frame)

    def _repeat(self, turn: Turn, block: Any, box: Box, open_here: Any) -> Any:
        """Send a block once more through a part that it went through in an earlier leg."""
        assert turn.part is not None
        inputs = self._inputs(open_here)(turn.step, turn.params)
        notes = self.exposure.noted(turn.step.name, box)
        with quiet():
            block = turn.part(replace(block, notes=notes, round=turn.number), turn.params, **inputs)
        return replace(block, notes={}, counts={}, beside={})

    def _take(self, turn: Turn, block: Any, box: Box, open_here: Any, first: bool) -> Any:
        """Send a block through a part; the first one decides whether the step is skipped."""
        name = turn.step.name
        if turn.part is None or name in self._skipped:
            fresh = turn.part is None and first
            return self._show(turn, chain.stamp(block, turn.step, turn.call, turn.reason, {}) if fresh else block, box)
        part = turn.part
        if isinstance(block, Ramp):
            notes = {**self.exposure.noted(name, box), **block.notes}
            block = replace(block, notes=notes, round=turn.number)
        inputs: dict[str, Any] = {}

        def apply() -> Any:
            inputs.update(self._inputs(open_here)(turn.step, turn.params))
            return part(block, turn.params, **inputs)

        result, reason = chain.attempt(turn.step, turn.call, apply)
        if reason:
            return self._show(turn, self._skip(turn, block, reason, first), box)
        return self._leave(turn, result, box, inputs, first)

    def _skip(self, turn: Turn, block: Any, reason: str, first: bool) -> Any:
        if not first:
            raise JwrulesError(f"{turn.step.name}: a part of the exposure cannot be corrected: {reason}")
        self._skipped[turn.step.name] = reason
        block = replace(block, notes={}, counts={}) if isinstance(block, Ramp) else block
        return chain.stamp(block, turn.step, turn.call, reason, {})

    def _leave(self, turn: Turn, block: Any, box: Box, inputs: Mapping[str, Any], first: bool) -> Any:
        """Take over what a part tells of a block; stamp the first one when a step is complete."""
        name = turn.step.name
        if isinstance(block, Ramp):
            self.exposure.note(name, block.notes, box)
            self.exposure.count(name, block.counts)
            block = replace(block, counts={})
        if not turn.last:
            return block
        if first:
            block = chain.stamp(self._provisional(turn, block), turn.step, turn.call, "", inputs)
        self._show(turn, block, box)
        return replace(block, notes={}, beside={}) if isinstance(block, Ramp) else block

    def _show(self, turn: Turn, block: Any, box: Box) -> Any:
        """Hand a block to those who asked for it after a step."""
        if turn.last and turn.step.name in self.sinks:
            self.sinks[turn.step.name](block, box)
        return block

    def _provisional(self, turn: Turn, block: Any) -> Any:
        """Give the first block the keywords that the step will complete at the end."""
        if turn.step.finish is None or not isinstance(block, Ramp):
            return block
        with quiet():
            counts = self.exposure.counts.get(turn.step.name, {})
            return replace(block, meta=turn.step.finish(block.meta, counts, turn.params))

    def _put_away(self, block: Any, box: Box, kept: Sequence[str], give: Sink | None) -> None:
        if isinstance(block, Ramp):
            self.exposure.absorb(block, box)
            if box.i.start == 0 and (box.y.start, box.x.start) == (0, 0):
                self.exposure.meta = self.exposure.unplaced(block.meta)
                self.exposure.provenance = block.provenance
        if give is not None:
            give(block, box)
        else:
            self.exposure.keep(
                block, box, kept, lambda shape, dtype: self.budget.room(shape, dtype, in_memory=self._in_memory())
            )

    def _in_memory(self) -> bool:
        return isinstance(self.exposure.rooms.get("data"), Memory)

    def _completed(self, turns: Sequence[Turn]) -> Callable[[Any], Any]:
        """Return a function that completes the keywords of a product, for the steps that made it; each speaks once."""
        finished = [t for t in turns if t.part and t.last and t.step.finish and t.step.name not in self._skipped]
        said: set[str] = set()

        def complete(product: Any) -> Any:
            meta = self.exposure.unplaced(product.meta)
            applied = {entry["step"] for entry in product.provenance.get("steps", ())}
            for turn in [one for one in finished if one.step.name in applied]:
                assert turn.step.finish is not None
                with quiet() if turn.step.name in said else nullcontext():
                    meta = turn.step.finish(meta, self.exposure.counts.get(turn.step.name, {}), turn.params)
                said.add(turn.step.name)
            return replace(product, meta=meta)

        return complete
