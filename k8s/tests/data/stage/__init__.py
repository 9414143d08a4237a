"""An environment of the manifests on this machine: its own pods, with their own commands, and a kubectl."""
