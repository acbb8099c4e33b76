"""Write the namcouple of OASIS3-MCT for the two components: each predictor in each step, then GPP back."""


def namcouple(n_columns, n_predictors, seconds, n_steps):
    """Return its text. Fields keep grid and partition, so that nothing is interpolated."""
    pairs = [(f"A_{i}", f"G_{i}", "toya gpco", 1) for i in range(1, n_predictors + 1)]
    pairs.append(("G_GPP", "A_GPP", "gpco toya", 2))
    general = {
        "NFIELDS": len(pairs),
        "NBMODEL": "2 toyatm gpcore 55 70",
        "RUNTIME": seconds * n_steps,
        "NLOGPRT": 0,
    }
    lines = [line for key, value in general.items() for line in (f" ${key}", f" {value}", " $END")]
    lines.append(" $STRINGS")
    for source, target, grids, order in pairs:
        lines += [
            f"{source} {target} 1 {seconds} 1 none.nc EXPORTED",
            f"{n_columns} 1 {n_columns} 1 {grids} SEQ={order}",
        ]
        lines += ["P 0 P 0", "LOCTRANS", "INSTANT"]
    return "\n".join([*lines, " $END", ""])
