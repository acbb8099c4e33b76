"""Predicts with lleaves in an environment of its own, since it needs an llvmlite that clashes with others.

`lleaves_worker.py MODEL OBJECT` compiles a model and ends. Without arguments, reads lines of JSON {"model", "object",
"rows", "out", "repeats"} and answers each with the shortest time in seconds.
"""

import json
import sys
import time
from pathlib import Path

import lleaves
import numpy as np


def load(model_file, compiled):
    model = lleaves.Model(model_file=model_file)
    model.compile(cache=compiled)
    return model


def main():
    models = {}
    for line in sys.stdin:
        task = json.loads(line)
        if task["model"] not in models:
            models[task["model"]] = load(task["model"], task["object"])
        rows, best = np.load(task["rows"]), float("inf")
        for _ in range(task["repeats"]):
            start = time.thread_time()
            result = models[task["model"]].predict(rows, n_jobs=1)
            best = min(best, time.thread_time() - start)
        if task["out"]:
            np.save(Path(task["out"]), result)
        print(json.dumps(best), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        load(*sys.argv[1:])
    else:
        main()
