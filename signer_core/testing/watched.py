"""A program that loads a plugin and asks it to describe itself, and prints what that imported and touched, as JSON.

``python watched.py SYS_PATH GROUP NAME HOOK``, with ``sys.path`` as JSON: in a process of its own, since an audit hook
stays, and so does what is imported.
"""

import json
import sys
from importlib.machinery import all_suffixes

#: The audit events that tell of files, connections and processes (Python's "Audit events table").
TELLING = ("open", "os.", "socket.", "subprocess.", "shutil.", "glob.", "tempfile.", "urllib.", "http.", "ssl.")
#: What importing a module does.
OF_IMPORTS = ("os.listdir", "os.scandir")


def watched(group: str, name: str, hook: str) -> dict[str, list[str]]:
    """What the plugin has ``imported`` besides itself, the standard library and what the core imports anyway; and what
    its hook has ``touched``: audit events, with their subjects.
    """
    import signer_core.factory  # noqa: F401 — what every program that signs has imported
    from signer_core.distributions import the_one

    entry_point = the_one(group, name)
    before = _packages()
    plugin = entry_point.load()
    touched = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event.startswith(TELLING) and event not in OF_IMPORTS:
            subject = str(arguments[0]) if arguments else ""
            if not subject.endswith(tuple(all_suffixes())):
                touched.append(f"{event} {subject}")

    sys.addaudithook(watch)
    getattr(plugin, hook)()
    watching = False
    own = entry_point.module.partition(".")[0]
    return {"imported": sorted(_packages() - before - sys.stdlib_module_names - {own}), "touched": touched}


def _packages() -> set[str]:
    return {name.partition(".")[0] for name in sys.modules}


if __name__ == "__main__":
    sys.dont_write_bytecode = True  # or importing a module would write files
    sys.path[:] = json.loads(sys.argv[1])
    print(json.dumps(watched(*sys.argv[2:])))  # noqa: T201 — its answer
