"""Where fit, evaluate and predict treat data, labels or chance otherwise."""

from compare.evaluation.deviations.difference import Difference

RANDOM_DRAWS = Difference(
    "random_draws",
    where="everything drawn: initial weights, shuffled orders, dropout's and noise's masks",
    keras="draws from TensorFlow's generators",
    ours="draws from NumPy's, with the same distributions; equal seeds give other numbers",
    why="TensorFlow's generators are an implementation of their own.",
    checks="Weights are copied, batches ordered outside, and noise is handed over to both sides; "
           "that it is distributed as it should be has a gate of its own.")

EXHAUSTED_GENERATOR = Difference(
    "exhausted_generator",
    where="a generator that ends before fit has run all epochs",
    keras="warns, and trains the remaining epochs on the first two batches again, which it had "
          "looked at beforehand",
    ours="warns and ends the run",
    why="Nobody means to train on two batches.",
    checks="None trains on generators.", concerns=("fit.x",))

CLASS_WEIGHT_GENERATORS = Difference(
    "class_weight_with_generators",
    where="class_weight beside a generator",
    keras="raises a ValueError; with a PyDataset, which is as good, it weighs",
    ours="weighs the classes of any source of batches",
    why="The labels are there.",
    checks="None trains on generators.", concerns=("fit.class_weight",))

WIDER_TARGETS = Difference(
    "targets_wider_than_outputs",
    where="targets (batch, n) for outputs (batch, 1), and other targets of which outputs have less",
    keras="stretches the outputs: every target is compared with the one output",
    ours="raises a ValueError that names both shapes",
    why="It is a mistake more often than a wish, and Keras's loss goes down all the same.",
    checks="None draws such targets.", concerns=("fit.y",))

FRACTIONAL_LABELS = Difference(
    "labels_that_are_no_whole_numbers",
    where="labels such as 0.5 for sparse_categorical_crossentropy",
    keras="cuts the fraction off: 0.5 is class 0",
    ours="raises a ValueError that names the label",
    why="Such labels are targets of another loss.",
    checks="`parity check` refuses them.", concerns=("fit.y",))

NON_FINITE_LOSS = Difference(
    "loss_that_is_not_finite",
    where="a loss or a weight's gradient that becomes NaN or infinite in fit",
    keras="goes on, unless the callback TerminateOnNaN stops it",
    ours="raises NonFiniteLossError with epoch and step, and changes no weight by that step",
    why="No step after that teaches anything, and what was learned is kept.",
    checks="`parity check` names the layer where the first NaN or infinity arose.",
    concerns=("TerminateOnNaN",))

FUSED_MISH = Difference(
    "fused_mish",
    where="mish after a convolution or a dense layer, in predict and evaluate",
    keras="gives 0 below about -17, and loses digits before: TensorFlow joins the operations of a "
          "compiled mish into one of oneDNN's, with another formula",
    ours="computes x tanh(log(1 + exp(x)))",
    why="It is the definition, and what Keras computes layer by layer.",
    checks="`parity check` has TensorFlow join no operations while it calls predict, evaluate and "
           "train_on_batch of a network with a mish.",
    known_by=("reference/entry_points.py",), onednn=True, concerns=("mish",))

CLASSES_SQUARED_APART = Difference(
    "classes_squared_apart",
    where="the gradient of an Embedding without a penalty on its weights, of a class that occurs "
          "several times in a batch, in every optimizer that squares or clips gradients",
    keras="hands the optimizer one gradient for each place, whose squares it adds up: Adam's "
          "second moment is that of the places, and a norm is too small",
    ours="adds the places' gradients up first, as Keras itself does where there is a penalty",
    why="It is what Adam and the others are defined on: the gradient of the weight.",
    checks="In lockstep Keras's optimizer is handed the sum, too, and the report says so.",
    known_by=("reference/training.py", "compare/checks/training_trajectory.py"),
    concerns=("Embedding",))

SCHEDULE_FREE_START = Difference(
    "schedule_free_start",
    where="the steps' own sequence of ScheduleFreeAdamW before the first step, in fit and "
          "train_on_batch of a compiled model whose optimizer nobody has built",
    keras="starts it at 0: where it makes the slots, what is assigned to them is lost, so that the "
          "first step throws the weights away",
    ours="starts it at the weights",
    why="It is the definition, and what Keras does where the optimizer was built before, or with "
        "run_eagerly.",
    checks="Keras's optimizer is built before its first step.",
    concerns=("optimizers.ScheduleFreeAdamW",))

SWAPPED_BY_PREDICT = Difference(
    "swapped_by_predict",
    where="the weights after predict with the callback SwapEMAWeights",
    keras="leaves the moving averages in their places",
    ours="puts the weights back, as both do after evaluate",
    why="It is what the callback is documented to do; training would go on from the averages.",
    checks="None calls it.", concerns=("callbacks.SwapEMAWeights",))

UNDRAWN_AUGMENTATION = Difference(
    "augmentation_not_drawn",
    where="the Random layers of images in training, but for RandomFlip, RandomTranslation, "
          "RandomRotation, RandomZoom, RandomShear, RandomBrightness, RandomContrast, "
          "RandomSharpness, RandomGaussianBlur, RandomGrayscale and RandomInvert, which draw as "
          "Keras does",
    keras="bends, blurs or recolours each image by what it draws",
    ours="hands images through, as at inference; fit warns and names the layers",
    why="Images can be augmented before they are handed in; the layers have no weights.",
    checks="In training Keras's layer is made to hand images through, too. The report lists "
           "training of the layer as not checked.",
    known_by=("reference/image_draws.py",),
    concerns=("AugMix", "RandAugment", "RandomColorDegeneration",
              "RandomColorJitter", "RandomElasticTransform", "RandomErasing",
              "RandomHue", "RandomPerspective", "RandomPosterization",
              "RandomSaturation"))

SHEAR_IN_CONFIG = Difference(
    "shear_in_config",
    where="a factor of RandomShear that is one number",
    keras="writes (-factor, factor) into the config, and refuses that when it reads it",
    ours="writes what Keras writes, and reads it",
    why="A config is to make the same layer again.",
    checks="`parity fuzz` draws two numbers.",
    concerns=("RandomShear.x_factor", "RandomShear.y_factor"))

ENTRIES = (RANDOM_DRAWS, EXHAUSTED_GENERATOR, CLASS_WEIGHT_GENERATORS, WIDER_TARGETS,
           FRACTIONAL_LABELS, NON_FINITE_LOSS, FUSED_MISH, CLASSES_SQUARED_APART,
           SCHEDULE_FREE_START, SWAPPED_BY_PREDICT, UNDRAWN_AUGMENTATION, SHEAR_IN_CONFIG)
