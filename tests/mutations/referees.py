"""Changes to the oracles of losses, optimizers, constraints, attention and images."""

from tests.mutations.trying import Mutation

RULES, RULE_TESTS = "compare/oracle/optimizers.py", ("compare/oracle/test_optimizers.py",)
ADAPTIVE = "compare/oracle/adaptive_optimizers.py"
WHOLE = "compare/oracle/whole_weight_optimizers.py"
ORTHOGONAL = "compare/oracle/orthogonalizing.py"
LOSSES, LOSS_TESTS = "compare/oracle/losses/", ("compare/oracle/test_losses.py",)
CIRCLE, CIRCLE_TESTS = "compare/oracle/losses/circle.py", ("compare/oracle/test_circle.py",)
CONSTRAINTS, CONSTRAINT_TESTS = "compare/oracle/constraints.py", ("scratch/test_constraints.py",)
WORST_CASES = ("compare/oracle/test_worst_cases.py",)
MINE = "scratch/constraints.py"
ATTENTION = "compare/oracle/layers/attention.py"
PLACES = "compare/oracle/affine_images.py"
PLACES_TESTS = ("compare/oracle/test_transformed_images.py",)
DEFINITION_TESTS = ("compare/oracle/test_definitions.py",)

STATES, STATE_TESTS = "compare/oracle/states.py", ("compare/oracle/test_states.py",)

MUTATIONS = [
    # states
    Mutation("oracle: states lie behind the outputs", STATES,
             "for each in (*states, *outputs)]", "for each in (*outputs, *states)]", STATE_TESTS),
    Mutation("oracle: no state's gradient goes back", "compare/oracle/layers/recurrent.py",
             "d_states = d_states or [", "d_states = [", STATE_TESTS),
    # optimizers
    Mutation("oracle: Nesterov's look-ahead is left out", RULES,
             "velocity * beta - step if self.config.get(\"nesterov\") else velocity", "velocity",
             RULE_TESTS),
    Mutation("oracle: Adam starts at step 0", RULES, "t = self.steps + 1",
             "t = self.steps + 2", RULE_TESTS),
    Mutation("oracle: gathered gradients are added up", RULES,
             "return [total / self.number(calls) for total in sums] if last else []",
             "return sums if last else []", RULE_TESTS),
    Mutation("oracle: averages start from 0", RULES,
             "slots[\"average\"] = weight if not share else ",
             "slots[\"average\"] = ", RULE_TESTS),
    Mutation("oracle: Lamb's ratio is that of the squares", WHOLE,
             "return norm([weight]) / norm([direction])",
             "return norm([weight]) * norm([weight]) / norm([direction])", RULE_TESTS),
    Mutation("oracle: Adafactor's rows are divided by their sum", WHOLE,
             "share = row / averaged(row, -1, keepdims=True)",
             "share = row / (averaged(row, -1, keepdims=True) * float(row.shape[-1]))",
             RULE_TESTS),
    Mutation("oracle: Muon's iteration passes errors on as they are", ORTHOGONAL,
             "error = steepest(most, coefficients) * error + added", "error = error + added",
             ("compare/oracle/test_orthogonalizing.py",)),
    Mutation("oracle: ScheduleFreeAdamW's x comes out of the old z", WHOLE,
             "        return after\n", "        return before\n", RULE_TESTS),
    Mutation("oracle: epsilon inside Adam's root", RULES,
             "/ (v.sqrt() + self.number(self.config[\"epsilon\"]))",
             "/ ((v + self.number(self.config[\"epsilon\"])).sqrt())", RULE_TESTS),
    Mutation("oracle: Lion's sign is known where rounding leaves it open", ADAPTIVE,
             "np.where(open_, 1 + np.abs(sign), 0.0)", "np.zeros(sign.shape)", WORST_CASES),
    Mutation("oracle: Nadam looks no step ahead", ADAPTIVE, "self.share(t), self.share(t + 1)",
             "self.share(t), self.share(t)", RULE_TESTS),
    Mutation("oracle: Ftrl's threshold is exact", ADAPTIVE, "np.abs(z.value) > l1 - z.bound",
             "np.abs(z.value) > l1", WORST_CASES),
    # losses
    Mutation("oracle: a focal loss's weight has no slope", LOSSES + "focal.py",
             "self.rounded(weight * slopes, 2) + self.rounded(change * entropy, 4)",
             "self.rounded(weight * slopes, 2)", LOSS_TESTS),
    Mutation("oracle: a region's size has no slope", LOSSES + "overlap.py",
             "slopes = size_slope * (share / size / size) - share_slope / size",
             "slopes = -(share_slope / size)", LOSS_TESTS),
    Mutation("oracle: of clipped probabilities it is known on which side they are",
             LOSSES + "base.py", "(p.bound > 0) & (margin <= p.bound)", "p.bound < 0", LOSS_TESTS),
    Mutation("oracle: a tie of classes is known where rounding leaves it open",
             LOSSES + "of_classes.py", "np.where(tied, np.maximum(share, 1 - share), ",
             "np.where(tied, 0.0, ", LOSS_TESTS),
    Mutation("oracle: the mean's divisor is exact", LOSSES + "base.py",
             "None if exact else self.rounding.unit * share", "None", WORST_CASES),
    Mutation("oracle: it is known which losses are flushed to zero", CIRCLE,
             "open_ = some & ~sure", "open_ = some & False", CIRCLE_TESTS),
    Mutation("oracle: losses without a partner may be counted", CIRCLE,
             "paired & ~gone, sample_weight", "~gone, sample_weight", CIRCLE_TESTS),
    Mutation("oracle: losses below all numbers may be counted", CIRCLE,
             "paired & ~gone, sample_weight", "paired, sample_weight", CIRCLE_TESTS),
    Mutation("oracle: an error of an exponent does not move its share", CIRCLE,
             "+ grown(share, 2 * off)", "+ 0 * off", CIRCLE_TESTS),
    Mutation("scratch: each loss moves its own sample alone", "scratch/losses/circle.py",
             "-(slopes @ embeddings + slopes.T @ embeddings)", "-(slopes @ embeddings)",
             ("scratch/losses/test_circle.py",)),
    # constraints
    Mutation("oracle: short norms stay short", CONSTRAINTS,
             "value = np.clip(norms.value, low, high)", "value = np.minimum(norms.value, high)",
             CONSTRAINT_TESTS),
    Mutation("oracle: a constraint goes all the way", CONSTRAINTS, 'rate = config.get("rate", 1.0)',
             "rate = 1.0", CONSTRAINT_TESTS),
    Mutation("scratch: nothing is added to the norm that is divided by", MINE, "EPSILON = 1e-7",
             "EPSILON = 0.0", CONSTRAINT_TESTS),
    Mutation("scratch: constraints hold weights that are not trained", MINE,
             "in layer.trainable_params.items():", "in layer.params.items():", CONSTRAINT_TESTS),
    # attention
    Mutation("oracle: a softmax's slope is its own alone", ATTENTION,
             "(dp - (dp * self.weights).sum(axis=-1, keepdims=True))", "dp", DEFINITION_TESTS),
    Mutation("oracle: a key that is the value has one gradient", ATTENTION,
             "[dq, dv + dk]", "[dq, dv]", DEFINITION_TESTS),
    Mutation("oracle: attention counts the terms of one query", ATTENTION,
             "most = math.prod(query) * value[1]", "most = value[1]", DEFINITION_TESTS),
    # images
    Mutation("images: of two pixels it is known which is the nearest", PLACES,
             "shifts = (0, -1, 1) if jumps else (0,)", "shifts = (0,)", PLACES_TESTS),
    Mutation("images: bringing places back rounds nothing", PLACES,
             "mapping = FLOAT32.unit * 3 * ", "mapping = 0 * ", PLACES_TESTS),
    Mutation("images: a place's error does not move what is read", PLACES,
             "moved = off[0] * self.at(along_rows, top, left)", "moved = 0 * self.at(along_rows, "
             "top, left)", PLACES_TESTS),
    Mutation("images: one order of pivots for all", "compare/oracle/inverse_transformation.py",
             "in ((one, first), (other, second)):", "in ((one, first),):", PLACES_TESTS),
    Mutation("images: nothing is read halfway between two pixels",
             "compare/oracle/layers/transformed_images.py", "made[::2] += 0.5", "made[::2] += 1.0",
             PLACES_TESTS),
    Mutation("scratch: products and the like take any mask", "scratch/merged_masks.py",
             "if not kinds[i] & APART or all(", "if True or all(",
             ("scratch/layers/test_merged_masks.py",)),
    Mutation("images: two draws may stand for one", "compare/checks/even_draws.py",
             "if oracle.alike:", "if False:", PLACES_TESTS),
    Mutation("images: the gradient is read by the matrix itself",
             "scratch/layers/transformed_images.py", "self._read(dy, back, 0.0)",
             "self._read(dy, self._matrices, 0.0)", ("scratch/layers/test_random_affine.py",)),
]
