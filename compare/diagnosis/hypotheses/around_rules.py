"""Mistakes in what stands around every optimizer's rule: gathered gradients, moving averages."""

from compare.diagnosis.hypothesis import Variant, inside


def of_gathering(c) -> list[Variant]:
    """Of gradients that are gathered over several calls."""
    calls = c.config.get("gradient_accumulation_steps")
    if not calls:
        return []

    def say(detail, **hooks):
        return inside("accumulation", detail, lambda c: c.hooked(**hooks))

    return [say("they are added up, not averaged", gathered=_added_up),
            say("the sums are not cleared after a step", gathered=_kept),
            say("only the last call's gradients count", gathered=_last_alone),
            say("the last call's gradients are left out", gathered=_last_left_out),
            inside("accumulation", "every call is a step",
                   lambda c: c.configured(gradient_accumulation_steps=None))]


def _added_up(oracle, right, gradients):
    return [mean * float(oracle.gathered_calls) for mean in right(gradients)]


def _kept(oracle, right, gradients):
    before = [slots["gradient_accumulator"] for slots in oracle.slots]
    made = right(gradients)
    if made:
        for slots, total in zip(oracle.slots, before):
            slots["gradient_accumulator"] = total
    return made


def _last_alone(oracle, right, gradients):
    return gradients if right(gradients) else []


def _last_left_out(oracle, right, gradients):
    before = [slots["gradient_accumulator"] for slots in oracle.slots]
    made = right(gradients)
    return [total / float(oracle.gathered_calls) for total in before] if made else []


def of_averages(c) -> list[Variant]:
    """Of moving averages of the weights."""
    if not c.config.get("use_ema"):
        return []
    momentum = c.config.get("ema_momentum", 0.99)

    def say(detail, **hooks):
        return inside("moving-average", detail, lambda c: c.hooked(**hooks))

    found = [say("it starts at 0, not at the weight", averaged=_from_zero),
             say("of the weights before the step", step=_before_the_step),
             inside("moving-average", "the shares of old and new are exchanged",
                    lambda c: c.configured(ema_momentum=1 - momentum)),
             say("it is the weight itself", averaged=_weights_themselves)]
    if c.config.get("ema_overwrite_frequency"):
        found += [inside("moving-average", "it never takes the weights' places",
                         lambda c: c.configured(ema_overwrite_frequency=None)),
                  say("it takes the weights' places a step late", averaged=_a_step_late)]
    else:
        found.append(inside("moving-average", "it takes the weights' places at every step",
                            lambda c: c.configured(ema_overwrite_frequency=1)))
    return found


def _from_zero(oracle, right, weights):
    """As if there had been a step before the first."""
    if oracle.steps:
        return right(weights)
    share = float(oracle.config.get("ema_momentum", 0.99))
    for weight, slots in zip(weights, oracle.slots):
        slots["average"] = (slots["average"] * oracle.number(share)
                            + weight * (oracle.number(1.0) - oracle.number(share)))
    return weights if oracle.config.get("ema_overwrite_frequency") != 1 else [
        slots["average"] for slots in oracle.slots]


def _before_the_step(oracle, right, weights, gradients):
    """The averages follow the weights before they move."""
    oracle.averaged, followed = lambda moved: moved, oracle.averaged
    iteration = oracle.iteration
    moved = right(weights, gradients)
    oracle.iteration, after = iteration, oracle.iteration
    followed(weights)
    oracle.iteration = after
    return moved


def _weights_themselves(oracle, right, weights):
    for weight, slots in zip(weights, oracle.slots):
        slots["average"] = weight
    return weights


def _a_step_late(oracle, right, weights):
    right(weights)
    if oracle.steps % oracle.config["ema_overwrite_frequency"] or not oracle.steps:
        return weights
    return [slots["average"] for slots in oracle.slots]
