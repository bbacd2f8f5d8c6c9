"""Tiny products for comparisons: a few pixels with an error of 0.5 each."""

import numpy as np
from astropy.io import fits as pyfits

from jwrules.products.flags import DQ

SHAPE = (2, 4)


def write(path, *, sci=None, err=0.5, dq=None, more=(), primary=(), unit="DN/s"):
    """Write a product: `sci` and `dq` by place, the rest is 10 and good; `more` are other extensions, by name."""
    data, flags = np.full(SHAPE, 10, "f4"), np.zeros(SHAPE, "u4")
    for place, value in (sci or {}).items():
        data[place] = value
    for place, flag in (dq or {}).items():
        flags[place] = flag
    arrays = {"SCI": data, "ERR": np.full(SHAPE, err, "f4"), "DQ": flags, **dict(more)}
    hdus = [pyfits.ImageHDU(array, name=name) for name, array in arrays.items() if array is not None]
    hdus[0].header["BUNIT"] = unit
    header = pyfits.Header({"DATAMODL": "ImageModel", "DATE": str(path), **dict(primary)})
    pyfits.HDUList([pyfits.PrimaryHDU(header=header), *hdus]).writeto(path)
    return path


JUMP, HOT = DQ.JUMP_DET, DQ.HOT
