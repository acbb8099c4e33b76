"""Parameters of the process model fitted to towers."""
