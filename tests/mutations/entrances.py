"""Changes to what people call and hand in: epochs, settings, another program's arrays, paths."""

from tests.mutations.trying import Mutation

EPOCHS, EPOCH_TESTS = "compare/checks/epochs.py", ("compare/checks/test_epochs.py",)
CALLS, CALL_TESTS = "compare/checks/entry_points.py", ("compare/checks/test_entry_points.py",)
SETTINGS = "compare/tracing/known_settings.py"
SETTING_TESTS = ("compare/tracing/test_known_settings.py",)
PASSES, PASS_TESTS = "compare/inputs/passes.py", ("compare/inputs/test_passes.py",)
NAMED, NAMED_TESTS = ("compare/inputs/named_outputs.py",
                      ("compare/inputs/test_named_outputs.py",))
GIVEN, GIVEN_TESTS = "compare/checks/given_outputs.py", ("compare/test_check_outputs.py",)
LAYOUT, FOREIGN = "compare/checks/array_layout.py", "compare/foreign_outputs.py"
CLASHES, CLASH_TESTS = "compare/cli/clashes.py", ("compare/cli/test_refused_paths.py",)
REPORT, REPORT_TESTS = "compare/report/report.py", ("compare/report/test_report.py",)

WHOLE, WHOLE_TESTS = ("compare/checks/whole_number_pass.py",
                      ("compare/adapters/test_whole_numbers.py",))
ELSEWHERE = "compare/diagnosis/weights_elsewhere.py"
HINTS, HINT_TESTS = ("compare/adapters/hints.py",
                     ("compare/adapters/test_untold_conventions.py",))

MUTATIONS = [
    # whole numbers of a network in one class, and what is said of what was not told
    Mutation("one class: whole numbers may differ by a little", WHOLE,
             "Bounded(array, rounding) for key, array", "Bounded(array, rounding, 1e-6 + 1e-6 * "
             "np.abs(array)) for key, array", WHOLE_TESTS),
    Mutation("weights: the first order that is tried is the one", ELSEWHERE,
             "np.array_equal(weight.reshape(own.shape), own)", "True",
             ("compare/diagnosis/test_weights_elsewhere.py",)),
    Mutation("hints: whatever is tried runs", HINTS, "        if runs(told):", "        if True:",
             HINT_TESTS),
    # whole epochs
    Mutation("epochs: all samples are one batch", EPOCHS,
             "size = len(reference.x) - max(1, len(reference.x) // 3)", "size = len(reference.x)",
             EPOCH_TESTS),
    Mutation("epochs: one epoch is enough", EPOCHS, "EPOCHS = 2", "EPOCHS = 1", EPOCH_TESTS),
    Mutation("epochs: a sum over samples is taken for a mean", EPOCHS,
             'getattr(loss, "reduction", "") in ("sum_over_batch_size", "mean")', "True",
             EPOCH_TESTS),
    Mutation("epochs: a loss over the whole batch is taken for a mean", EPOCHS,
             '                and not getattr(loss, "over_batch", False)\n', "", EPOCH_TESTS),
    Mutation("epochs: a loss that ignores a class is taken for a mean", EPOCHS,
             'and getattr(loss, "ignore_class", None) is None for loss', "for loss",
             EPOCH_TESTS),
    Mutation("epochs: what is evaluated may be off by a hundred times", EPOCHS, "SHARE = 4\n",
             "SHARE = 400\n", EPOCH_TESTS),
    Mutation("epochs: sample weights are not cut into batches", EPOCHS,
             "None if self.sample_weight is None else self.sample_weight[rows])",
             "None if self.sample_weight is None else self.sample_weight[:len(self.x[rows])])",
             EPOCH_TESTS),
    Mutation("epochs: the candidate itself is trained", EPOCHS,
             "in_single_steps(with_fresh_optimizer(model), epoch)",
             "in_single_steps(model, epoch)", EPOCH_TESTS),
    Mutation("epochs: samples need not be shuffled", EPOCHS, "_unshuffled(model, epoch))",
             "None)", EPOCH_TESTS),
    Mutation("epochs: whatever order makes no difference is no shuffling", EPOCHS,
             "np.array_equal(backwards, as_they_come, equal_nan=True)", "False", EPOCH_TESTS),
    # predict and evaluate
    Mutation("calls: the loss that the reference evaluates is not asked for", CALLS,
             "if reference.y is not None and twin.compiled:", "if False:", CALL_TESTS),
    Mutation("calls: sample weights are left out of evaluate", CALLS,
             "return_dict=True,\n                                 "
             "**execution.weighted(sample_weight))", "return_dict=True)", CALL_TESTS),
    Mutation("calls: the candidate itself is called, not a copy", CALLS,
             "_called(copy.deepcopy(model), *batch)", "_called(model, *batch)", CALL_TESTS),
    # settings that are not known
    Mutation("settings: a metric that is left out is not named", SETTINGS,
             'left_out.append(f"metric {_name(metrics, metric)}")', "pass", SETTING_TESTS),
    Mutation("settings: weighted metrics are not looked at", SETTINGS,
             'for key in ("metrics", "weighted_metrics"):', 'for key in ("metrics",):',
             SETTING_TESTS),
    Mutation("settings: what was left out before is forgotten", SETTINGS,
             "left_out = list(config.get(NOT_CHECKED, ()))", "left_out = []", SETTING_TESTS),
    Mutation("settings: the config that was given is changed", SETTINGS,
             "known = dict(config)", "known = config", SETTING_TESTS),
    Mutation("settings: SGD takes a place and nobody says so", SETTINGS,
             'return any(name.startswith("optimizer ") for name in left_out)', "return False",
             SETTING_TESTS),
    Mutation("settings: names are of any length", SETTINGS,
             "return name if len(name) <= LONGEST else", "return name if True else", SETTING_TESTS),
    # which pass
    Mutation("passes: gradients of a trace that has none", PASSES,
             "gradients is not False and recorded and not without",
             "gradients is not False and not without", PASS_TESTS),
    Mutation("passes: gradients of layers that have none", PASSES, "    if gradients and without:",
             "    if False:", PASS_TESTS),
    Mutation("passes: the reason is left out", PASSES, 'return f"{said}: {why}."',
             'return f"{said}."', PASS_TESTS),
    # another program's arrays
    Mutation("arrays: one layer for two arrays", NAMED, "way[-1] + 1 if way else 0",
             "way[-1] if way else 0", NAMED_TESTS),
    Mutation("arrays: the first of two layers that fit", NAMED, "    if len(ways) > 1:",
             "    if False:", NAMED_TESTS),
    Mutation("arrays: --map gives one layer two arrays", NAMED, "        if layer in made:",
             "        if False:", NAMED_TESTS),
    Mutation("arrays: names that no layer has are dropped", NAMED,
             "    if len(unknown) < len(names):", "    if False:", NAMED_TESTS),
    Mutation("arrays: channels first do not fit", NAMED,
             "(output[0], output[-1], *output[1:-1]), (output[0]", "output, (output[0]",
             NAMED_TESTS),
    Mutation("arrays: no room for how they were stored", GIVEN,
             "row = judge(Gate.FORWARD, part.layer, \"output\", array, expected,\n"
             "                    Bounded(right.value, right.rounding, right.bound + room.bound))",
             "row = judge(Gate.FORWARD, part.layer, \"output\", array, expected, right)",
             GIVEN_TESTS),
    Mutation("arrays: each layer is judged on the reference's input", GIVEN,
             "known.append(Known(array.astype(reference.dtype), room) if finite",
             "known.append(Known(part.output, room) if finite", GIVEN_TESTS),
    Mutation("arrays: a NaN goes on", GIVEN, "finite = bool(np.isfinite(array).all())",
             "finite = True", GIVEN_TESTS),
    Mutation("arrays: of two orders the farther one", LAYOUT, "said, turned = min(fitting",
             "said, turned = max(fitting", GIVEN_TESTS),
    Mutation("arrays: the input layer's array is not looked at", FOREIGN,
             "for name in inputs.keys() & outputs.keys():", "for name in ():", GIVEN_TESTS),
    Mutation("arrays: layers behind the last array are not named", FOREIGN,
             "    if layers[last + 1:]:", "    if False:", GIVEN_TESTS),
    # paths
    Mutation("paths: links are not followed", CLASHES, "str(Path(path).resolve())",
             "str(Path(path).absolute())", CLASH_TESTS),
    Mutation("paths: an ending in capitals is none", CLASHES,
             "kind = Path(path or \"\").suffix.lower()", "kind = Path(path or \"\").suffix",
             CLASH_TESTS),
    Mutation("paths: a package's own file may be written over", CLASHES,
             'for file in (stem.with_suffix(".py"), stem / "__init__.py")]',
             'for file in (stem.with_suffix(".py"),)]', CLASH_TESTS),
    Mutation("paths: JUnit's file is written although it is refused", CLASHES,
             "        args.junit = None ", "        pass ", CLASH_TESTS),
    Mutation("paths: what parity record has written counts as data", CLASHES,
             'OWN_KIND = {"out": ".npz"}', "OWN_KIND: dict[str, str] = {}", CLASH_TESTS),
    # the report
    Mutation("report: an empty report holds", REPORT,
             "return (bool(self.rows) and all(row.passed", "return (all(row.passed", REPORT_TESTS),
    Mutation("report: what is not judged holds", REPORT,
             "\n                and self.undecided is None)", ")",
             ("compare/report/test_undecided.py",)),
    Mutation("report: one row that passes is enough", REPORT,
             "return (bool(self.rows) and all(", "return (bool(self.rows) and any(", REPORT_TESTS),
    Mutation("report: a layer's own later failure is not downstream", REPORT,
             "row.downstream = layer in failed or", "row.downstream = False or", REPORT_TESTS),
    Mutation("report: what is not checked is not said", REPORT, "        if not self.not_checked:",
             "        if True:", REPORT_TESTS),
    Mutation("report: notes are lost", REPORT, "[*notes, *([] if some is None",
             "[*([] if some is None", REPORT_TESTS),
    Mutation("report: notes are not printed", REPORT,
             "before = [title, *(line(note) for note in self.notes)]", "before = [title]",
             REPORT_TESTS),
    Mutation("report: SGD's place is told without training", REPORT,
             "row.gate is Gate.LOCKSTEP for row in self.rows)", "True for row in self.rows)",
             REPORT_TESTS),
]
