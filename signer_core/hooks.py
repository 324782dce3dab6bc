"""The hooks of one plugin, or of one object that it attached: registered with pluggy by themselves, held to their
specification, and asked.
"""

import inspect
import operator
from collections.abc import Callable
from typing import Any, TypeVar

import pluggy

from signer_core.errors import SignerError
from signer_core.hookspecs import AttachedHooks, BackendHooks, ExtensionHooks
from signer_core.key_contract import FOREIGN, Broken

T = TypeVar("T")


def hooks_of(plugin: object, specifications: type[Any], broken: Broken) -> pluggy.HookRelay:
    """The hooks of ``plugin``, in a plugin manager of its own.

    Raises what ``broken`` makes for a hook that there is not, or that cannot be called as the specification says.
    """
    manager = pluggy.PluginManager("signer_core")
    manager.add_hookspecs(specifications)
    try:
        manager.register(plugin, "plugin")
        manager.check_pending()
        names = dir(plugin)
    except pluggy.PluginValidationError as error:
        # What pluggy says of an unknown hook ends with the repr of the plugin, which may be any object.
        what = str(error).partition(" in plugin ")[0]
        raise broken(f"{what}{_instead(what, specifications)}") from error
    except FOREIGN as error:  # pluggy looks at each attribute of the plugin, and those may be properties
        raise broken(f"reading its attributes raised {type(error).__name__}") from error
    for implementation in (each for caller in manager.get_hookcallers(plugin) or () for each in caller.get_hookimpls()):
        function = implementation.function
        if implementation.wrapper or implementation.hookwrapper:
            raise broken(f"{function.__name__} is a wrapper, and there is nothing to wrap")
        if inspect.iscoroutinefunction(function):
            raise broken(f"{function.__name__} is a coroutine function, and is not awaited")
    for hook in vars(manager.hook).values():
        if isinstance(hook, pluggy.HookCaller) and hook.name in names and not hook.get_hookimpls():
            raise broken(f"{hook.name} lacks the mark hookimpl, so it would never be called")
    return manager.hook


def _instead(what: str, specifications: type[Any]) -> str:
    """Where an unknown hook belongs, or the one that a misspelt hook may have been meant for, as a question."""
    import difflib

    unknown = what.partition("unknown hook ")[2].strip("'")
    for others, owner in _OWNERS.items():
        if unknown in vars(others):
            return f", which belongs to {owner}"
    close = difflib.get_close_matches(unknown, [name for name in dir(specifications) if name[0] != "_"], n=1)
    return f" (did you mean {close[0]}?)" if close else ""


#: Where hooks belong.
_OWNERS = {
    ExtensionHooks: "an extension, in a module of its own",
    BackendHooks: "a backend, in a module of its own",
    AttachedHooks: "the object that signer_attach returns",
}


def asked(hook: pluggy.HookCaller, wanted: type[T], broken: Broken, **arguments: object) -> T:
    """What the one registered plugin answers to ``hook``, held to its type."""
    try:
        answer = hook(**arguments)
    except SignerError:
        raise
    except FOREIGN as error:
        # Where no configuration was given, no secret can be in the text.
        text = "" if arguments else f": {error}"
        raise broken(f"{hook.name} raised {type(error).__name__}{text}") from error
    if not isinstance(answer, wanted):
        raise broken(f"{hook.name} returned {type(answer).__name__} instead of {wanted.__name__}")
    return answer


def implementation(hook: pluggy.HookCaller, broken: Broken) -> Callable[..., object] | None:
    """What implements ``hook`` beside those of other plugins, whose order is the configuration's; None without it.

    It is called with all arguments of the specification, by position; where it takes them all, it is the function
    itself.
    """
    found = hook.get_hookimpls()
    if not found or hook.spec is None:
        return None
    if found[0].tryfirst or found[0].trylast:
        raise broken(f"{hook.name} is marked tryfirst or trylast, but the configuration alone gives the order")
    function: Callable[..., object] = found[0].function
    offered, taken = tuple(hook.spec.argnames), tuple(found[0].argnames)
    if taken == offered:
        return function
    if not taken:
        return lambda *_: function()
    pick = operator.itemgetter(*map(offered.index, taken))
    if len(taken) == 1:
        return lambda *arguments: function(pick(arguments))
    return lambda *arguments: function(*pick(arguments))
