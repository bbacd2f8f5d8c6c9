"""What parameter files in a directory say reaches the step that it is meant for, by our name of it."""

import pytest

from jwrules import references
from jwrules.errors import ReferenceFault
from jwrules.references import parameters

EXPOSURE = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "EXP_TYPE": "NRC_IMAGE", "FILTER": "F200W"}
EXPOSURE |= {"DATE-OBS": "2023-05-01", "TIME-OBS": "00:00:00", "FILENAME": "x_uncal.fits"}

ASDF = """#ASDF 1.0.0
#ASDF_STANDARD 1.5.0
%YAML 1.1
%TAG ! tag:stsci.edu:asdf/
--- !core/asdf-1.1.0
meta:
  reftype: {reftype}
  instrument: {{name: NIRCAM}}
  useafter: '2022-01-01T00:00:00'
{body}
...
"""


@pytest.fixture
def pars(tmp_path):
    """Write one file per type and ask what it gives."""

    def pars(steps, pipeline="", **bodies):
        for reftype, body in bodies.items():
            text = ASDF.format(reftype=f"pars-{reftype}", body=body)
            (tmp_path / f"jwst_nircam_pars-{reftype}_0001.asdf").write_text(text)
        return references.open(tmp_path, tmp_path / "c.json").pars(steps, EXPOSURE, pipeline)

    return pars


def test_a_step_gets_its_parameters_and_their_origin(pars):
    given = pars(["jump"], jumpstep="parameters: {rejection_threshold: 5.5, expand_large_events: true, skip: false}")
    wanted = {"rejection_threshold": 5.5, "expand_large_events": True, "skip": False}
    assert given == {"jump": (wanted, "jwst_nircam_pars-jumpstep_0001.asdf")}


def test_the_machinery_of_the_official_pipeline_is_left_out(pars):
    body = "parameters: {output_dir: '', save_results: true, pre_hooks: [], suffix: tweakreg, searchrad: 1.5}"
    assert pars(["tweakreg"], tweakregstep=body)["tweakreg"][0] == {"searchrad": 1.5}


def test_the_word_none_is_no_value(pars):
    assert pars(["skymatch"], skymatchstep="parameters: {lower: None}")["skymatch"][0] == {"lower": None}


def test_a_pipeline_overrides_what_the_file_of_a_step_says(pars):
    given = pars(
        ["jump", "persistence", "refpix"],
        pipeline="detector1",
        jumpstep="parameters: {rejection_threshold: 5.5, max_extended_radius: 100}",
        detector1pipeline="""parameters: {save_calibrated_ramp: true}
steps:
- {class: jwst.jump.jump_step.JumpStep, name: jump, parameters: {rejection_threshold: 6.0}}
- {class: jwst.persistence.persistence_step.PersistenceStep, name: persistence, parameters: {skip: true}}
- {class: jwst.ipc.ipc_step.IPCStep, name: ipc, parameters: {skip: true}}""",
    )
    files = ("jwst_nircam_pars-jumpstep_0001.asdf", "jwst_nircam_pars-detector1pipeline_0001.asdf")
    assert given["jump"] == ({"rejection_threshold": 6.0, "max_extended_radius": 100}, ", ".join(files))
    assert given["persistence"] == ({"skip": True}, files[1])
    assert given.keys() == {"jump", "persistence"}


def test_a_pipeline_is_asked_only_for_its_own_stage(pars):
    body = "parameters: {}\nsteps: [{name: resample, class: jwst.step.ResampleStep, parameters: {pixfrac: 0.8}}]"
    assert pars(["resample"], pipeline="image2", image3pipeline=body) == {}


def test_the_older_form_of_a_pipeline(pars):
    body = "parameters: {name: Image2Pipeline, steps: {bkg_subtract: {sigma: 4.0}, resample: {skip: true}}}"
    given = pars(["background", "resample"], pipeline="image2", image2pipeline=body)
    assert {step: values for step, (values, _) in given.items()} == {
        "background": {"sigma": 4.0},
        "resample": {"skip": True},
    }


def test_a_file_for_other_exposures_gives_nothing(pars):
    body = "  exposure: {type: NRC_TSIMAGE}\nparameters: {rejection_threshold: 5.5}"
    assert pars(["jump"], jumpstep=body) == {}


def test_a_file_without_parameters_is_refused(pars):
    with pytest.raises(ReferenceFault, match=r"pars-jumpstep_0001\.asdf: this parameter file has no 'parameters'"):
        pars(["jump"], jumpstep="values: {}")


def test_every_official_step_has_the_type_that_the_official_pipeline_asks_for():
    integration = pytest.importorskip("jwst.stpipe.integration")
    ours = {"bkg_subtract": "background", "calwebb_wfs-image3": "wfs_combine"}
    classes = {ours.get(alias, alias): name for name, alias, is_pipeline in integration.get_steps() if not is_pipeline}
    asked = {step: f"pars-{name.rpartition('.')[2].lower()}" for step, name in classes.items()}
    assert {step: parameters.of_step(step) for step in asked} == asked
