"""How well models predict GPP at towers that were held out: hold-outs, methods, metrics and intervals."""
