"""Maps of GPP from a model and a tile store, and the gridded product."""
