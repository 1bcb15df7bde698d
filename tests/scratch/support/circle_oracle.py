"""The circle loss by its definition, pair by pair: plain loops over floats."""

import math


def sample(i, labels, embeddings, gamma, margin, remove_diagonal):
    """Of sample i: (loss, {(i, j): its slope by the dot product of samples i and j})."""
    terms = {True: [], False: []}  # of the same class or not: (j, exponent, slope by the distance)
    for j, f in enumerate(embeddings):
        if remove_diagonal and i == j:
            continue
        dot = math.fsum(a * b for a, b in zip(embeddings[i], f))
        d = max(1 - dot, 0.0)
        moves = -1.0 if 1 - dot >= 0 else 0.0  # of the distance, with the dot product
        if labels[i] == labels[j]:
            weight = d + margin
            slope = gamma * (max(weight, 0) - (margin - d) * (weight >= 0))
            terms[True].append((j, gamma * max(weight, 0) * (d - margin), slope * moves))
        else:
            weight = 1 + margin - d
            slope = -gamma * (max(weight, 0) + (1 - margin - d) * (weight >= 0))
            terms[False].append((j, gamma * max(weight, 0) * (1 - margin - d), slope * moves))
    if not terms[True] or not terms[False]:
        return 0.0, {}
    sums, slopes = 0.0, {}
    for found in terms.values():
        top = max(z for _, z, _ in found)
        total = math.fsum(math.exp(z - top) for _, z, _ in found)
        sums += top + math.log(total)
        slopes.update({j: math.exp(z - top) / total * slope for j, z, slope in found})
    loss = max(sums, 0) + math.log1p(math.exp(-abs(sums)))
    steep = 1 / (1 + math.exp(-sums)) if sums > -700 else 0.0
    return loss, {(i, j): steep * slope for j, slope in slopes.items()}


def circle(labels, embeddings, reduction="sum_over_batch_size", weights=None, least=0.0,
           gamma=80.0, margin=0.4, remove_diagonal=True):
    """(the batch's loss, its gradient as rows); losses of at most `least` are not counted."""
    labels, embeddings = list(labels), [list(map(float, row)) for row in embeddings]
    weights = [1.0] * len(labels) if weights is None else list(map(float, weights))
    found = [sample(i, labels, embeddings, gamma, margin, remove_diagonal)
             for i in range(len(labels))]
    counted = [loss > least for loss, _ in found]
    divisor = {"sum": 1.0, "mean_with_sample_weight": math.fsum(
        w for w, c in zip(weights, counted) if c)}.get(reduction, float(sum(counted)))
    gradient = [[0.0] * len(row) for row in embeddings]
    value = 0.0
    for (loss, slopes), weight, counts in zip(found, weights, counted):
        share = weight / divisor if counts and divisor else 0.0
        value += share * loss
        for (i, j), slope in slopes.items():
            for k in range(len(embeddings[0])):
                gradient[i][k] += share * slope * embeddings[j][k]
                gradient[j][k] += share * slope * embeddings[i][k]
    return value, gradient
