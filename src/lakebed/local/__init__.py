"""The whole platform on one machine: real servers as child processes, over folders."""
