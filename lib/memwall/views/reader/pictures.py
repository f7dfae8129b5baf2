"""What `DrawGuess` and `machine_step` share: live figures whose script is reader.js as well."""

from __future__ import annotations

from importlib import resources

from ..explorer import Explorer

_FOLDER = resources.files(__package__)


class Picture(Explorer):
    """A live figure with a chart of reader.js."""

    _esm = (
        Explorer._esm.rsplit("export default", 1)[0]
        + _FOLDER.joinpath("reader.js").read_text(encoding="utf-8")
        + "\nexport default { render: memwallExplorer.render };"
    )
    _css = Explorer._css + _FOLDER.joinpath("reader.css").read_text(encoding="utf-8")
