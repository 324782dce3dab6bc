"""Blocks that are a file: the name in their first line becomes the caption, and what is copied is the file."""

import re
from typing import Any, ClassVar

from docutils import nodes
from sphinx.transforms import SphinxTransform

_NAME = re.compile(r"# (\S*[./]\S*)\n")


class Files(SphinxTransform):
    """Gives each such block its caption."""

    default_priority: ClassVar = 400

    def apply(self, **_: Any) -> None:
        """Wrap the blocks."""
        for block in list(self.document.findall(nodes.literal_block)):
            found = _NAME.match(block.astext())
            if found is None or block.get("language") not in ("json", "python", "toml", "yaml"):
                continue
            content = block.astext()[found.end() :]
            caption = nodes.caption("", "", nodes.literal("", found[1]))
            wrapper = nodes.container("", literal_block=True, classes=["literal-block-wrapper"])
            shown = nodes.literal_block(content, content, **block.attributes)
            block.replace_self(wrapper)
            wrapper += [caption, shown]
            self.document.set_id(wrapper)
