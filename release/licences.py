"""The licences of distributions, as their metadata declare them."""

from importlib.metadata import Distribution
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing

#: Those that ask for no more than to be named, as SPDX spells them.
PERMISSIVE = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense"}
)

#: What distributions declare that have no licence expression (PEP 639) yet. "BSD License" may be any of them.
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
}
_PREFIX = "License :: OSI Approved :: "


def licence(distribution: Distribution) -> str | None:
    """Its SPDX licence expression; None where it declares nothing that has one.

    Where it has several classifiers, all of them are to be met.
    """
    metadata = distribution.metadata
    for field in ("License-Expression", "License"):  # the latter, older one may be a text of any kind
        if field in metadata and _parsed(metadata[field]) is not None:
            return str(metadata[field])
    classifiers = [each.removeprefix(_PREFIX) for each in metadata.get_all("Classifier", []) if "License ::" in each]
    if not classifiers or not _CLASSIFIERS.keys() >= set(classifiers):
        return None
    return " AND ".join(sorted(_CLASSIFIERS[each] for each in classifiers))


def is_permissive(expression: str | None) -> bool:
    """Whether one can choose, where there is a choice, to meet nothing but permissive licences."""
    parsed = None if expression is None else _parsed(expression)
    if parsed is None:
        return False
    licensing = get_spdx_licensing()
    met = {each: licensing.TRUE if str(each) in PERMISSIVE else licensing.FALSE for each in parsed.symbols}
    return bool(parsed.subs(met).simplify() == licensing.TRUE)


def _parsed(expression: str) -> Any:
    """The expression as a formula; None if it is none of SPDX's."""
    try:
        return get_spdx_licensing().parse(expression, validate=True)
    except ExpressionError:
        return None
