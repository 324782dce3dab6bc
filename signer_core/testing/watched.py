"""A program that asks a plugin's ``signer_backend`` under Python's audit hook, and prints what it touched, as JSON.

``python watched.py SYS_PATH BACKEND``, with ``sys.path`` as JSON: in a process of its own, since an audit hook stays.
"""

import importlib
import json
import sys
from importlib.machinery import all_suffixes

#: The audit events that tell of files, connections and processes (Python's "Audit events table").
TELLING = ("open", "os.", "socket.", "subprocess.", "shutil.", "glob.", "tempfile.", "urllib.", "http.", "ssl.")
#: What importing a module does.
OF_IMPORTS = ("os.listdir", "os.scandir")


def touched_by_signer_backend(backend: str) -> list[str]:
    """The audit events, with their subjects, of asking the plugin of ``backend`` to describe itself."""
    from importlib_metadata import entry_points

    (entry_point,) = {each.value: each for each in entry_points(group="signer_core.backends", name=backend)}.values()
    plugin = entry_point.load()
    importlib.import_module("signer_core.hookspecs")
    touched = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event.startswith(TELLING) and event not in OF_IMPORTS:
            subject = str(arguments[0]) if arguments else ""
            if not subject.endswith(tuple(all_suffixes())):
                touched.append(f"{event} {subject}")

    sys.addaudithook(watch)
    plugin.signer_backend()
    watching = False
    return touched


if __name__ == "__main__":
    sys.dont_write_bytecode = True  # or importing a module would write files
    sys.path[:] = json.loads(sys.argv[1])
    print(json.dumps(touched_by_signer_backend(sys.argv[2])))  # noqa: T201 — its answer
