"""The section 'Where the numbers come from': records, code, versions, kernels and machines."""

from __future__ import annotations

from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import provenance
from sweeps.report.document import Prose, Section
from sweeps.report.machines import machines, mixed_warning


def sources(records: Records) -> Section:
    """The section: which records, code, versions, kernels and machines the numbers come from."""
    devices = ", ".join(sorted(set(records.cells["ran_on"].dropna())))
    lines = {**provenance(records).lines(), "Device": devices, "Computed by": machines(records)}
    text = "\n".join(f"- {name}: {value or 'not recorded'}" for name, value in lines.items() if name != "Command")
    return Section("Where the numbers come from", [Prose("\n\n".join(filter(None, (text, mixed_warning(records)))))])
