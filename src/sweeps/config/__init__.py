"""From YAML and the command line to checked, frozen settings. Only this package and the entry point know Hydra."""
