# ruff: noqa: INP001 — Sphinx reads it, nothing imports it
"""The site of the documents: what Sphinx must know to build it, without a network."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "signer-core"
release = metadata.version("signer-core")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "generated"]
exclude_patterns = ["_ext", "_static"]
copybutton_exclude = ".linenos, .gp, .go, .gt, .gr"  # of a session what was typed, and not what came
smartquotes = False  # what stands in quotation marks is typed as it stands

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 3

nitpicky = True  # a name in a docstring that leads nowhere is an error
nitpick_ignore_regex = [
    # other people's names: there is no network to ask for their inventories
    (r"py:.*", r"(attrs?|boto3|collections|cryptography|click|enum|os|pathlib|pluggy|pytest|ssl|threading)\..*"),
    (r"py:.*", r"securesystemslib\..*|Executor|Origin|hashlib"),
    # what signatures name, and nobody needs to
    (r"py:.*", r"signer_core\.(extensions|origin)\.\w+"),
    (r"py:.*", r"(signer_aws_kms\.(account|testing)\.\w+\.?\w*|Injection)"),
]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
add_module_names = False
python_maximum_signature_line_length = 90
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"signer-core {release}"
html_static_path = ["_static"]
html_css_files = ["signer.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
