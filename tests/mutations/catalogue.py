"""The changes that are tried: what a slip of the hand or a hurried simplification would make."""

from tests.mutations import entrances, referees
from tests.mutations.trying import Mutation

ROW, ROW_TESTS = "compare/checks/row.py", ("compare/checks/test_row.py",)
BOUNDS, BOUND_TESTS = ("compare/oracle/running_error.py",
                       ("compare/oracle/test_running_error.py",))
WORST_CASES = ("compare/oracle/test_worst_cases.py",)
MOMENTS = "compare/oracle/moments.py"
LAYERWISE, CHECK_TESTS = "compare/checks/layerwise.py", ("compare/checks/test_layerwise.py",)
LOCKSTEP, LOCKSTEP_TESTS = ("compare/checks/training_trajectory.py",
                            ("compare/checks/test_training_trajectory.py",))
SPECIFIED, SPECIFIED_TESTS = ("compare/checks/specification.py",
                              ("compare/checks/test_specification.py",))
CONFIGS = "compare/tracing/configs.py"
SEARCH, SEARCH_TESTS = "compare/diagnosis/search.py", ("compare/diagnosis/test_explanations.py",)
PRECISION = "compare/diagnosis/hypotheses/precision.py"
MOVING, OF_IMAGES, OF_PRODUCTS = (
    f"compare/diagnosis/hypotheses/{kind}_operations.py" for kind in ("moving", "image", "product"))
CAUSE_TESTS = ("compare/diagnosis/test_operation_causes.py",)
JOBS = "compare/experiments/execution/scheduling.py"
STORE = "compare/experiments/execution/result_store.py"
JOB_TESTS = ("compare/experiments/execution/test_scheduling.py",)
PROBE, PROBE_TESTS = ("compare/checks/integer_probe.py",
                      ("compare/checks/test_integer_probe.py",))

STEPS, STEPS_TESTS = ("compare/oracle/layers/time_distributed.py",
                      ("compare/oracle/test_time_distributed.py",))
CHOICES, CHOICES_TESTS = "compare/oracle/layers/choices.py", ("compare/checks/test_choices.py",)

MUTATIONS = [
    # layers on every step, and choices
    Mutation("steps: each begins with the first averages", STEPS, "weights | self.updated",
             "weights", STEPS_TESTS),
    Mutation("steps: several inputs are read as one", STEPS,
             "self.merges, self.mixes_samples = self.inner.merges, self.inner.mixes_samples",
             "self.mixes_samples = self.inner.mixes_samples", STEPS_TESTS),
    Mutation("choices: rounding never chooses otherwise", CHOICES,
             "np.where(self.turned, either, error)", "error", CHOICES_TESTS),
    Mutation("choices: rounding never turns a comparison over", CHOICES,
             "self.turned(a.flushed(), b.flushed()).astype(np.float64)",
             "0.0 * value", CHOICES_TESTS),
    # a row's verdict
    Mutation("row: an error that is not finite is explained by an infinite bound", ROW,
             "(bound > 0) & np.isfinite(error)", "(bound > 0)", ROW_TESTS),
    Mutation("row: what fills its bound fails", ROW, "over = int((shares > 1).sum())",
             "over = int((shares >= 1).sum())", ROW_TESTS),
    Mutation("row: only the candidate is judged", ROW,
             "shares = np.maximum(candidate_share, reference_share)", "shares = candidate_share",
             ROW_TESTS),
    Mutation("row: a NaN on one side is no difference", ROW,
             "np.where(np.isfinite(difference), difference, np.inf)", "np.nan_to_num(difference)",
             ROW_TESTS),
    Mutation("row: arrays that broadcast are compared", ROW,
             "if actual.shape != expected.shape:", "if actual.ndim != expected.ndim:", ROW_TESTS),
    Mutation("row: the first of several worst elements is shown", ROW,
             "np.where(shares == most, error, -1.0)", "np.where(shares == most, 1.0, -1.0)",
             ROW_TESTS),
    Mutation("row: slack takes the place of the bound", ROW, "oracle.bound + slack", "slack",
             ("compare/adapters", "compare/checks/test_row.py")),
    # bounds
    Mutation("bounds: a division has one rounding", BOUNDS,
             "np.where(b.is_power_of_two(), 0, 2)", "np.where(b.is_power_of_two(), 0, 1)",
             BOUND_TESTS),
    Mutation("bounds: exp has half of its ulps", BOUNDS,
             "np.where(exact, 0, 2 * LIBRARY_ULPS)", "np.where(exact, 0, LIBRARY_ULPS)",
             BOUND_TESTS),
    Mutation("bounds: log has half of its ulps", BOUNDS,
             "return self._rounded(value, passed_on, roundings=2 * LIBRARY_ULPS)",
             "return self._rounded(value, passed_on, roundings=LIBRARY_ULPS)", BOUND_TESTS),
    Mutation("bounds: a product forgets the product of both errors", BOUNDS,
             "+ a.bound * b.bound)\n        return self._rounded(a.value * b.value",
             ")\n        return self._rounded(a.value * b.value", BOUND_TESTS),
    Mutation("bounds: gamma without its denominator", BOUNDS,
             "return off / (1 - off)", "return off", BOUND_TESTS),
    Mutation("bounds: a sum of n terms has n - 2 roundings", BOUNDS,
             "gamma = rounding.gamma(terms)",
             "gamma = rounding.gamma(np.maximum(terms - 2, 0))", BOUND_TESTS),
    Mutation("bounds: a dot product without the error of its second factor", BOUNDS,
             "return product(size_a, b.bound) + product(a.bound, size_b) + product("
             "a.bound, b.bound)",
             "return product(a.bound, size_b)", BOUND_TESTS),
    Mutation("bounds: a bias is no term of the sum", BOUNDS,
             "terms, value = terms + bias.support(), value + bias.value",
             "terms, value = terms, value + bias.value", WORST_CASES),
    Mutation("bounds: a result flushed to zero is not allowed for", BOUNDS,
             "error = passed_on + gamma * (size + passed_on) + self.rounding.tiny",
             "error = passed_on + gamma * (size + passed_on)", WORST_CASES),
    Mutation("bounds: a root of what may be zero", BOUNDS,
             "lowest = np.sqrt(np.maximum(x.value - x.bound, 0.0))",
             "lowest = np.sqrt(x.value)", WORST_CASES),
    Mutation("bounds: a divisor that may be zero", BOUNDS,
             "smallest = np.abs(b.value) - b.bound", "smallest = np.abs(b.value)", BOUND_TESTS),
    Mutation("bounds: of a variance, the mean's error is left out", MOMENTS,
             "error = (moved + np.square(rounded) + ", "error = (moved + ",
             WORST_CASES),
    Mutation("bounds: of a variance, half of the roundings", MOMENTS,
             "rounding.gamma(count + 4) * squares", "rounding.gamma(count // 2) * squares",
             WORST_CASES),
    # whole numbers
    Mutation("probe: integers so large that sums are rounded", PROBE,
             "if longest * a**factors <= exact_up_to)", "if longest * a <= exact_up_to)",
             PROBE_TESTS),
    Mutation("probe: no negative integers", PROBE, "rng.integers(-largest, largest",
             "rng.integers(0, largest", PROBE_TESTS),
    # moving statistics
    Mutation("layers: the first pass in training is not looked at", LAYERWISE,
             "                row = self._at_first(i, name, row)\n", "", CHECK_TESTS),
    # what both sides have to have
    Mutation("layers: gradients that only the candidate has pass", LAYERWISE,
             "for tensor in ours.results.keys() - theirs.results.keys()", "for tensor in set()",
             CHECK_TESTS),
    Mutation("layers: updates that only the candidate has pass", LAYERWISE,
             "for name in ours.updated.keys() - theirs.updated.keys()]", "for name in ()]",
             CHECK_TESTS),
    Mutation("layers: an inference row that is missing is skipped", LAYERWISE,
             "return [mismatch(Gate.INFERENCE, ours.name, \"output\", ours.inference, "
             "theirs.inference)]", "return []", CHECK_TESTS),
    Mutation("layers: what is changed in place is not told", LAYERWISE,
             "                if not row.passed:\n", "                if False:\n",
             CHECK_TESTS),
    Mutation("network: epsilon is incidental", CONFIGS, 'INCIDENTAL = ("name", "dtype", "seed")',
             'INCIDENTAL = ("name", "dtype", "seed", "epsilon")', SPECIFIED_TESTS),
    Mutation("network: every setting is incidental", CONFIGS,
             'return key in INCIDENTAL or key.endswith("_initializer")', "return True",
             SPECIFIED_TESTS),
    Mutation("network: the order of the layers' inputs is not compared", SPECIFIED,
             'if tuple(sources) == (i - 1,) else f" of {reads}")', 'if True else reads)',
             SPECIFIED_TESTS),
    Mutation("network: sample weights are not compared", SPECIFIED,
             'for name in ("x", "y", "sample_weight"))', 'for name in ("x", "y"))',
             SPECIFIED_TESTS),
    Mutation("network: precision of single tensors is not compared", SPECIFIED,
             "if array.dtype.name != trace.dtype}", "if False}", SPECIFIED_TESTS),
    Mutation("row: NaN on both sides is judged", ROW,
             "(unbounded | beyond | (np.isnan(a) & np.isnan(e)))", "(unbounded | beyond)",
             ("compare/checks/test_nonfinite.py",)),
    Mutation("row: what overflows half-way in float16 counts as equal", ROW,
             "(unbounded | beyond | (np", "(unbounded | (np", ROW_TESTS),
    Mutation("low precision: a sum that float32 holds is exact",
             "compare/oracle/layers/piecewise.py",
             "(x.rounding.nearest(total) == total)", "(np.float32(total) == total)",
             ("compare/oracle/test_low_precision_activations.py",)),
    # training
    Mutation("lockstep: ten times the margin", LOCKSTEP, "MARGIN = 3\n", "MARGIN = 30\n",
             LOCKSTEP_TESTS),
    Mutation("lockstep: a distance of NaN is allowed", LOCKSTEP,
             "    if distance_ <= allowed:", "    if not distance_ > allowed:", LOCKSTEP_TESTS),
    Mutation("lockstep: the same batch every time", "compare/checks/training_batches.py",
             "    for step in range(1, steps):", "    for step in range(0):",
             ("compare/checks/test_training_batches.py",)),
    Mutation("lockstep: the loss is not judged", LOCKSTEP,
             "in step.spread.items():", "in list(step.spread.items())[:-1]:", LOCKSTEP_TESTS),
    Mutation("lockstep: a joint norm is one of each weight", "compare/oracle/optimizers.py",
             'return (self.config.get("global_clipnorm") or 0.0) > 0 or bool(', "return bool(",
             ("compare/oracle/test_optimizers.py",)),
    Mutation("traces: -0 is shared as 0", "compare/tracing/shared_weights.py",
             'np.array_equal(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}"))',
             "np.array_equal(a, b, equal_nan=True)", ("compare/tracing/test_shared_weights.py",)),
    # the diagnosis
    Mutation("diagnosis: what is ambiguous is told as the same", SEARCH,
             "return all(a.shape == b.shape\n", "return all(a.shape != b.shape or True\n",
             SEARCH_TESTS),
    Mutation("diagnosis: low precision is tried in pairs", SEARCH,
             'ALONE = ("low-precision", "small', 'ALONE = ("small', SEARCH_TESTS),
    Mutation("diagnosis: what changes nothing explains", SEARCH, "    if not moved:",
             "    if False:", SEARCH_TESTS),
    Mutation("diagnosis: rounding need not balance", PRECISION, "and balance < 3.5", "",
             SEARCH_TESTS),
    Mutation("diagnosis: a bound as large as the number explains", PRECISION,
             "/ np.abs(value[present])) <= 0.25)", "/ np.abs(value[present])) < 9)",
             SEARCH_TESTS),
    Mutation("operations: a part begins where it should alone", MOVING,
             "range(size)):\n            other", "range(own[0], own[0] + 1)):\n            other",
             CAUSE_TESTS),
    Mutation("operations: a block's channels come last or not at all", OF_IMAGES,
             "for order in itertools.permutations(range(3)) if order != (0, 1, 2)]\n"
             "    return [*found, moved(BLOCKS",
             "for order in ((1, 0, 2),)]\n    return [*found, moved(BLOCKS", CAUSE_TESTS),
    Mutation("operations: of a gradient's factors one alone is read otherwise", OF_PRODUCTS,
             "for second in _ways(other, factor, sizes, pool, fixed)", "for second in (other,)",
             CAUSE_TESTS),
    Mutation("operations: drawn numbers are below zero where a root is taken",
             "compare/diagnosis/suspect.py", "else (oracle.admitted(x[0]),))", "else x)",
             CAUSE_TESTS),
    Mutation("operations: one number a sample, for as many samples as an axis has numbers",
             "compare/checks/extremes.py", "and len(batch) in sizes:", "and False:",
             ("compare/evaluation/deviations/test_deviations.py",)),
    # jobs
    Mutation("jobs: one attempt more", JOBS, "ATTEMPTS = 3 ", "ATTEMPTS = 4 ", JOB_TESTS),
    Mutation("jobs: a job counts as failed one attempt late", JOBS,
             "if attempts[key] >= ATTEMPTS:", "if attempts[key] > ATTEMPTS:", JOB_TESTS),
    Mutation("jobs: a result is in memory before it is on disk", STORE,
             "        if self.directory is not None:\n            kept = read_back(",
             "        self.results[key] = result\n        if self.directory is not None:\n"
             "            kept = read_back(", JOB_TESTS),
    # the network
    Mutation("scratch: a global norm of NaN clips nothing", "scratch/optimizers/clipping.py",
             " + (norm - norm)", "", ("scratch/optimizers/test_optimizers.py",)),
    Mutation("scratch: a batch is split in front of an activity penalty", "scratch/parallel.py",
             "return alone and layer.activity_regularizer is None", "return alone",
             ("scratch/test_parallel.py",)),
    Mutation("scratch: dropout keeps what lies exactly at the rate", "scratch/layers/dropout.py",
             ">= self.rate", "> self.rate", ("scratch/layers/test_noise.py",)),
    Mutation("scratch: 'same' puts the odd pixel of padding first", "scratch/windows.py",
             "total // 2", "(total + 1) // 2", ("scratch/layers/test_pooling.py",)),
    *entrances.MUTATIONS,
    *referees.MUTATIONS,
]
