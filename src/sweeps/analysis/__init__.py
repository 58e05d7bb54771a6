"""From records to evidence: loading them as tidy frames, and statistics over them. Frames in, frames out; no torch."""
