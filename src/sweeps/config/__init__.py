"""From YAML and the command line to checked, frozen settings. Outside it, only entry points and plugins use Hydra."""
