"""A small program that is edited in every way that a person might, and what each job of it depends on.

What a job depends on is told from the files alone: nothing of jwrules that plans is asked.
"""

import hashlib
import os
import random
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import pretend
from program_scene import OPTICS, exposure, header, write_header, write_reference

from jwrules import plan
from jwrules.plan import Settings

OPENS = {
    "dq_init": ["mask"],
    "dark_current": ["dark"],
    "ramp_fit": ["gain", "readnoise"],
    "assign_wcs": ["distortion"],
    "flat_field": ["flat"],
    "photom": ["photom", "area"],
}
"""The reference files that each step opens; there need be no area."""
KINDS = sorted({kind for kinds in OPENS.values() for kind in kinds} - {"area"})

GIVES = {"detector1": ("rate", "rateints"), "image2": ("cal", "i2d"), "image3": ("i2d",)}

CHAINS = {
    "detector1": ["dq_init", "dark_current", "ramp_fit"],
    "image2": ["assign_wcs", "flat_field", "photom", "resample"],
    "image3": ["tweakreg", "skymatch", "resample"],
}
DROPPABLE = ("dark_current", "photom", "skymatch")

OPTIONS = {
    "dq_init.skip": ["true", "false"],
    "tweakreg.kernel_fwhm": ["2.1", "2.5"],
    "resample.pixfrac": ["1.0", "0.8"],
    "tweakreg.abs_refcat": ["none", "CATALOG"],
}
"""What may be set on the command line; one value of each is that by default."""
DEFAULTS = {
    "dq_init.skip": "false",
    "tweakreg.kernel_fwhm": "2.5",
    "resample.pixfrac": "1.0",
    "tweakreg.abs_refcat": "none",
}

Key = tuple[str, str]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cards(path):
    """The keywords of a primary header."""
    text = path.read_bytes()[: 2880 * 2].decode("ascii", "replace")
    lines = (text[at : at + 80] for at in range(0, text.find("END" + " " * 77), 80))
    return {line[:8].strip(): line[10:].strip().strip("'").strip() for line in lines}


@dataclass(repr=False)
class Program:
    """A program of four exposures with two detectors in `folder`, and what a person asks of it.

    `last` is what each job depended on when it last ran to its end; `same` are stages that give the same whatever
    they are made from.
    """

    folder: Path
    chains: dict = field(default_factory=lambda: {stage: list(steps) for stage, steps in CHAINS.items()})
    sets: dict = field(default_factory=dict)
    recipe: dict = field(default_factory=dict)
    same: set = field(default_factory=set)
    last: dict[Key, tuple] = field(default_factory=dict)
    comments: int = 0
    count: int = 0
    lives: int = 0

    @classmethod
    def begun(cls, folder):
        """Write the files of a program."""
        made = cls(folder)
        for dither in (1, 2):
            for detector in OPTICS:
                made.expose(dither, detector, DESCRIP="00000000")
        for kind in KINDS:
            for detector in OPTICS:
                write_reference(folder / "references", kind, detector, DESCRIP="first")
        (folder / "catalog.ecsv").write_text("stars")
        made.write_recipe()
        return made

    def copied(self, folder):
        """Return a copy in another place, to be edited."""
        shutil.copytree(self.folder, folder, symlinks=True)
        fresh = {"sets": {}, "recipe": {}, "same": set(), "chains": {k: [*v] for k, v in CHAINS.items()}}
        return replace(self, folder=folder, last=dict(self.last), **fresh)

    def __repr__(self):
        return f"a program in {self.folder}"

    @property
    def asked(self):
        catalog = str(self.folder / "catalog.ecsv")
        sets = tuple(f"{name}={value.replace('CATALOG', catalog)}" for name, value in self.sets.items())
        references = next(self.folder.glob("references*"))
        return Settings(self.folder / "uncal", str(references), self.folder / "short.yaml", sets=sets)

    def expose(self, dither, detector, **changes):
        write_header(
            self.folder / "uncal" / f"{exposure(dither, detector)}_uncal.fits", header(dither, detector, **changes)
        )

    def write_recipe(self):
        fwhm = self.recipe.get("kernel_fwhm for F444W")
        case = f": {{cases: [{{when: {{FILTER: F444W}}, kernel_fwhm: {fwhm}}}]}}" if fwhm else ""
        said = {"tweakreg": f"tweakreg{case}", "skymatch": f"skymatch: {{skystat: {self._skystat}}}"}
        lines = [f"  {stage}: [{', '.join(said.get(s, s) for s in steps)}]" for stage, steps in self.chains.items()]
        text = "\n".join(
            [
                *(f"# thought {number}" for number in range(self.comments)),
                "template: NIRCam Imaging",
                "for: {INSTRUME: NIRCAM, EXP_TYPE: NRC_IMAGE}",
                "associations:",
                "  image2: {one_for_each: exposure, members: {science: rate}}",
                "  image3: {one_for_each: [INSTRUME, optics, target], members: {science: cal}}",
                "stages:",
                *lines,
            ]
        )
        (self.folder / "short.yaml").write_text(text + "\n")

    @property
    def _skystat(self):
        return self.recipe.get("skystat", "mode")

    # What each job depends on.

    def exposures(self):
        paths = sorted((self.folder / "uncal").glob("*_uncal.fits"))
        return {path.name.removesuffix("_uncal.fits"): path for path in paths}

    def keys(self):
        """What every job depends on, members by what they hold now."""
        exposures, found = self.exposures(), {}
        for name, path in exposures.items():
            found["detector1", name] = self._key("detector1", name, [path])
            found["image2", name] = self._key("image2", name, [self.folder / f"results/{name}_rate.fits"])
        for number, (product, names) in enumerate(self._mosaics(exposures).items()):
            members = [self.folder / f"results/{name}_cal.fits" for name in names]
            found["image3", product] = (number, *self._key("image3", names[0], members))
        return found

    def _mosaics(self, exposures):
        """The exposures of each mosaic, in the order of their first."""
        mosaics = {}
        for name in exposures:
            passband = OPTICS[name.rpartition("_")[2]][1].lower()
            mosaics.setdefault(f"jw00042-o001_t001_nircam_clear-{passband}", []).append(name)
        return mosaics

    def _key(self, stage, name, members):
        detector = name.rpartition("_")[2]
        steps = [self._step(stage, step, detector) for step in self.chains[stage]]
        opened = [kind for step, skipped, _ in steps if not skipped for kind in OPENS.get(step, ())]
        chosen = [self._reference(kind, detector) for kind in opened]
        return (str(steps), str(chosen), *((path.name, digest(path) if path.exists() else "") for path in members))

    def _step(self, stage, step, detector):
        """A step, whether it is skipped, and its options in full."""
        options = {name: self.sets.get(name, value) for name, value in DEFAULTS.items() if name.startswith(f"{step}.")}
        if step == "skymatch":
            options["skystat"] = self._skystat
        if step == "tweakreg" and OPTICS[detector][1] == "F444W" and "tweakreg.kernel_fwhm" not in self.sets:
            options["tweakreg.kernel_fwhm"] = (
                self.recipe.get("kernel_fwhm for F444W") or DEFAULTS["tweakreg.kernel_fwhm"]
            )
        if "CATALOG" in options.values():
            options["catalog"] = digest(self.folder / "catalog.ecsv")
        return step, options.pop("dq_init.skip", "false") == "true", options

    def _reference(self, kind, detector):
        """Name and content of the latest reference file of a type for a detector."""
        found = []
        for path in next(self.folder.glob("references*")).iterdir():
            said = cards(path)
            if (said["REFTYPE"], said["DETECTOR"]) == (kind.upper(), detector.upper()):
                found.append((said["USEAFTER"], path.name, digest(path)))
        return max(found)[1:] if found else None

    def products(self, stage, name):
        return [self.folder / "results" / f"{name}_{suffix}.fits" for suffix in GIVES[stage]]

    def absent(self):
        """The jobs of which a product is not there."""
        return {job for job in self.keys() if not all(path.exists() for path in self.products(*job))}

    # What a person might do; `n` says to which of the files, and how.

    def _pick(self, n, pattern):
        paths = sorted(self.folder.glob(pattern))
        return paths[n % len(paths)] if paths else None

    def _rewritten(self, path, n):
        """Write another content of the same size into a file; sometimes its time is made to say that nothing was."""
        before, text = path.stat(), path.read_bytes()
        self.count += 1
        at = text.find(b"DESCRIP")
        mark = f"{self.count:08}".encode()
        path.write_bytes(text[: at + 11] + mark + text[at + 19 :] if at >= 0 else mark + text[8:])
        if n % 2:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def touch(self, n):
        path = self._pick(n, ["uncal/*", "results/*", "references*/*", "short.yaml"][n % 4])
        if path:
            os.utime(path, (1e9, 1e9 if n % 3 else 4e9))

    def copy_anew(self, n):
        path = self._pick(n, ["uncal/*", "results/*", "references*/*"][n % 3])
        if path:
            shutil.copyfile(path, self.folder / "copy")
            (self.folder / "copy").replace(path)

    def replace_exposure(self, n):
        self._rewritten(self._pick(n, "uncal/*"), n)

    def add_exposure(self, n):
        self.expose(1 + n % 4, list(OPTICS)[n % 2], DESCRIP="00000000")

    def remove_exposure(self, n):
        if len(self.exposures()) > 1:
            self._pick(n, "uncal/*").unlink()

    def rename_exposure(self, n):
        self.remove_exposure(n)
        self.add_exposure(n // 3)

    def replace_reference(self, n):
        self._rewritten(self._pick(n, "references*/*"), n)

    def rename_reference(self, n):
        path = self._pick(n, "references*/*")
        self.count += 1
        path.rename(path.with_name(f"renamed_{self.count}.fits"))

    def add_reference(self, n):
        kind, detector = [*KINDS, "area"][n % 8], list(OPTICS)[n % 2]
        self.count += 1
        path = write_reference(
            self.folder / "new", kind, detector, USEAFTER=f"2023-01-01T00:00:{self.count % 60:02}", DESCRIP="00000000"
        )
        path.rename(next(self.folder.glob("references*")) / f"added_{self.count}.fits")

    def remove_reference(self, n):
        path = self._pick(n, "references*/added_*")
        if path:
            path.unlink()

    def move_references(self, n):
        next(self.folder.glob("references*")).rename(self.folder / f"references{n}")

    def set_option(self, n):
        name = list(OPTIONS)[n % len(OPTIONS)]
        self.sets[name] = OPTIONS[name][n // 4 % 2]

    def unset_option(self, n):
        self.sets.pop(list(OPTIONS)[n % len(OPTIONS)], None)

    def replace_catalog(self, n):
        self._rewritten(self.folder / "catalog.ecsv", n)

    def edit_recipe(self, n):
        if n % 2:
            self.recipe["skystat"] = ["mode", "mean", "median"][n // 2 % 3]
        else:
            self.recipe["kernel_fwhm for F444W"] = ["", "2.3", "2.5"][n // 2 % 3]
        self.write_recipe()

    def drop_step(self, n):
        step = DROPPABLE[n % 3]
        self.chains = {stage: [one for one in steps if one != step] for stage, steps in self.chains.items()}
        self.write_recipe()

    def restore_steps(self, n):
        self.chains = {stage: list(steps) for stage, steps in CHAINS.items()}
        self.write_recipe()

    def comment(self, n):
        self.comments = n % 3
        self.write_recipe()

    def delete_output(self, n):
        path = self._pick(n, "results/*.fits")
        if path:
            path.unlink()

    def edit_output(self, n):
        path = self._pick(n, "results/*.fits")
        if path:
            self.count += 1
            path.write_text(f"edited {self.count}")

    def lose_record(self, n):
        path = self._pick(n, "results/*_[di]*[123].json")
        if path:
            stage = path.stem.rpartition("_")[2]
            self.last.pop((stage, path.stem.removesuffix(f"_{stage}")), None)
            path.write_text("half") if n % 2 else path.unlink()

    def lose_memory(self, n):
        shutil.rmtree(self.folder / ".jwrules", ignore_errors=True)

    def come_out_the_same(self, n):
        self.same ^= {list(GIVES)[n % 3]}

    def kill(self, n):
        """Kill the next run at some moment of some job."""
        self.lives = 1 + n % 40

    EDITS = (
        *(touch, copy_anew, replace_exposure, add_exposure, remove_exposure, rename_exposure),
        *(replace_reference, rename_reference, add_reference, remove_reference, move_references),
        *(set_option, unset_option, replace_catalog, edit_recipe, drop_step, restore_steps, comment),
        *(delete_output, edit_output, lose_record, lose_memory, come_out_the_same, kill),
    )

    OFTEN = (replace_exposure, remove_exposure, replace_reference, set_option, set_option, edit_recipe, kill)

    # Running it.

    def run(self):
        """Pretend to run it; return the jobs that ran to their end, and whether the run did."""
        ran = []
        try:
            pretend.run(self.asked, self.folder, self.same, lambda moment, job: self._at(moment, job, ran))
        except pretend.Killed:
            return ran, False
        return ran, True

    def _at(self, moment, job, ran):
        if moment == "emptied":
            self.last.pop((job.stage, job.name), None)
        if moment == "done":
            ran.append((job.stage, job.name))
        if self.lives:
            self.lives -= 1
            if not self.lives:
                raise pretend.Killed

    def standing(self, *kinds):
        """The jobs of which the plan says that they stand so."""
        made = plan.of(self.asked, self.folder)
        return set(plan.states(made, self.asked, self.folder).standing(*kinds))

    def edit(self, edits):
        for name, n in edits:
            getattr(self, name)(n)

    def run_and_check(self):
        """Run it: the jobs that ran are those whose key changed or whose products lacked, and the plan said so."""
        absent, due, perhaps = self.absent(), self.standing(plan.Is.DUE), self.standing(plan.Is.PERHAPS)
        ran, is_whole = self.run()
        keys = self.keys()
        must = {job for job in keys if job in absent or self.last.get(job) != keys[job]}
        assert len(set(ran)) == len(ran)
        assert set(ran) <= due | perhaps
        assert not is_whole or set(ran) == must >= due
        self.last |= {job: keys[job] for job in ran}

    def has_nothing_to_do(self):
        """A second run makes nothing, and the plan says so."""
        assert self.standing(plan.Is.DUE, plan.Is.PERHAPS) == set()
        assert self.run() == ([], True)


def sequence(seed):
    """Random edits, each at least once, in groups that come between two runs: by name, with what each is told."""
    chance = random.Random(seed)
    names = [edit.__name__ for edit in (*Program.EDITS, *Program.OFTEN)]
    edits = [(name, chance.randrange(1000)) for name in chance.sample(names, len(names))]
    while edits:
        count = chance.randint(1, 4)
        yield edits[:count]
        del edits[:count]
