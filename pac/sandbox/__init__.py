"""Alanube, simulated: the PAC that newcomers, tests and demos talk to.

A process of its own that shares nothing with Cifras but the pure rules of `pac.dgi`. It speaks
the PAC's wire over real HTTP, strictly: types are checked exactly, unknown keys are refused, all
faults of a document are told at once, and a number is good for one document.

- `Sandbox`: the whole as one object, for tests; `manage.py pac_sandbox` is its other door.
- `Options`: pace and faults, changeable while it runs.
- A line's description that contains `REJECT-PAC` or `REJECT-DGI` gets the document refused.
- RUC `155000000-2-2000` does not exist, `8-888-8888` is no taxpayer, RUCs with `NT` are the
  State's; the option `unknown_rucs` adds to the first.
- `/__sandbox__/...` (loopback only) shows what was received and changes the options; see
  `control`.
"""

from pac.sandbox.box import Ids, Sandbox
from pac.sandbox.options import Options

__all__ = ["Ids", "Options", "Sandbox"]
