"""The section 'Where the numbers come from': records, code, versions, kernels and machines."""

from __future__ import annotations

from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import provenance
from sweeps.analysis.text import number_of
from sweeps.report.document import Prose, Section
from sweeps.report.machines import machines, mixed_warning


def sources(records: Records) -> Section:
    """The section: which records, code, versions, kernels and machines the numbers come from."""
    devices = ", ".join(sorted(set(records.cells["ran_on"].dropna())))
    lines = {**provenance(records).lines(), "Device": devices, "Computed by": machines(records)}
    if records.sweeps:
        of_each = "; ".join(_count(records, name) for name in records.sweeps)
        lines = {"Experiment": lines["Experiment"], "Sweeps": of_each, **lines}
    text = "\n".join(f"- {name}: {value or 'not recorded'}" for name, value in lines.items() if name != "Command")
    return Section("Where the numbers come from", [Prose("\n\n".join(filter(None, (text, mixed_warning(records)))))])


def _count(records: Records, name: str) -> str:
    """`a (12 cells, 3 of them in another sweep too, with the same record)`."""
    kept = [cell for cell in records.cells["cell"] if cell in records.sweeps[name].cells]
    others = [sweep.cells for each, sweep in records.sweeps.items() if each != name]
    shared = sum(any(cell in cells for cells in others) for cell in kept)
    also = f", {shared} of them in another sweep too, with the same record" if shared else ""
    return f"{name} ({number_of(len(kept), 'cell')}{also})"
