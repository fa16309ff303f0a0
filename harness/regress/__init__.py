"""Two kernels compared: trials in turn, tests for small samples, what got worse, and the history of a metric."""
